import { type Fragment, fragment, raw } from './fragment.ts';

/** The full-text index of a table. */
export interface FullText {
  /** The indexed table. */
  table: string;
  /** The indexed columns; the first one is the title. */
  columns: readonly string[];
  /** SQL for the rows that are indexed, with the columns of the row as `"column"`; empty for all. */
  listed: readonly { column: string; is: string }[];
}

/** The names of the tables of an index, and the statements that create it for an existing table. */
export interface FullTextTables {
  names: string[];
  statements: string[];
}

const indexOf = ({ table }: FullText) => `${table}_fts`;
const wordsOf = ({ table }: FullText) => `${table}_fts_words`;
const pendingOf = ({ table }: FullText) => `${table}_fts_pending`;

/**
 * The index contains the listed rows alone, so that nothing about a search depends on others. Triggers
 * record the ids of rows that were listed before or are after a change; `indexSome` reads them.
 */
export function fullTextTables(it: FullText): FullTextTables {
  const [index, words, pending] = [indexOf(it), wordsOf(it), pendingOf(it)];
  const { table, columns } = it;
  const changing = [...columns, ...it.listed.map(({ column }) => column)];
  const record = (row: string) =>
    `BEGIN\n\tINSERT INTO "${pending}" VALUES (${row}."id") ON CONFLICT DO NOTHING;\nEND`;
  const when = (...rows: string[]) => {
    const conditions = rows.map((row) => `(${listedIn(it, `${row}.`)})`);
    return it.listed.length > 0 ? `WHEN ${conditions.join(' OR ')} ` : '';
  };
  return {
    names: [index, words, pending],
    statements: [
      `CREATE VIRTUAL TABLE "${index}" USING fts5(${quoted(columns)}, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2', prefix='2 3')`,
      `CREATE VIRTUAL TABLE "${words}" USING fts5vocab('${index}', 'instance')`,
      `CREATE TABLE "${pending}" ("id" integer PRIMARY KEY NOT NULL) STRICT`,
      `CREATE TRIGGER "${table}_insert_search" AFTER INSERT ON "${table}" ${when('NEW')}${record('NEW')}`,
      `CREATE TRIGGER "${table}_update_search" AFTER UPDATE OF ${quoted(changing)} ON "${table}" ${when('OLD', 'NEW')}${record('NEW')}`,
      `CREATE TRIGGER "${table}_delete_search" AFTER DELETE ON "${table}" ${when('OLD')}${record('OLD')}`,
      `INSERT INTO "${pending}" SELECT "id" FROM "${table}"${it.listed.length > 0 ? ` WHERE ${listedIn(it)}` : ''}`,
    ],
  };
}

/** FROM and WHERE for the rows that match an expression; their ids are `rowid`. */
export function matching(it: FullText, expression: string): Fragment {
  const index = raw(`"${indexOf(it)}"`);
  return fragment`from ${index} where ${index} match ${expression}`;
}

/** Expressions for one word, quoted so that it is no operator, and for words that start like it. */
export const matchWord = (word: string): string => `"${word}"`;
export const matchStart = (word: string): string => `"${word}"*`;
export const matchOne = (expressions: readonly string[]): string => `(${expressions.join(' OR ')})`;
export const matchAll = (expressions: readonly string[]): string => expressions.join(' AND ');
/** Restricts an expression to the first column. */
export function matchTitle({ columns }: FullText, expression: string): string {
  return `{${columns[0]}} : ${expression}`;
}

/** The first word of the index at or after a text, as `term`. */
export function firstWordFrom(it: FullText, text: string): Fragment {
  return fragment`select term from ${raw(`"${wordsOf(it)}"`)} where term >= ${text} limit 1`;
}

/** Selects a row if some wait to be indexed. */
export function somePending(it: FullText): Fragment {
  return raw(`select 1 from "${pendingOf(it)}" where id > 0 limit 1`);
}

/** The next rows to be indexed: `id`, `is_listed` and the indexed columns. */
export function pendingRows(it: FullText, limit: number): Fragment {
  const { table, columns } = it;
  const isListed = it.listed.length > 0 ? listedIn(it, 'row.') : 'row.id is not null';
  const texts = columns.map((name) => `row."${name}" as "${name}"`).join();
  return fragment`${raw(`select pending.id, ${isListed} as is_listed, ${texts}
    from "${pendingOf(it)}" as pending left join "${table}" as row on row.id = pending.id
    where pending.id > 0 order by pending.id limit`)} ${limit}`;
}

/** Makes the rows with these ids pending. */
export function addPending(it: FullText, ids: readonly number[]): Fragment {
  return fragment`insert into ${raw(`"${pendingOf(it)}"`)} select value from json_each(${JSON.stringify(ids)}) where true on conflict do nothing`;
}

/** Ends the wait of all rows up to an id. */
export function endPending(it: FullText, upTo: number): Fragment {
  return fragment`delete from ${raw(`"${pendingOf(it)}"`)} where id <= ${upTo}`;
}

/** Removes a row from the index, if it is there. */
export function removal(it: FullText, id: number): Fragment {
  return fragment`delete from ${raw(`"${indexOf(it)}"`)} where rowid = ${id}`;
}

/** Puts the texts of a row into the index, one per column. */
export function replacement(it: FullText, id: number, texts: readonly (string | null)[]): Fragment {
  const values = { text: texts.map(() => ', ?').join(''), values: texts };
  return fragment`insert or replace into ${raw(`"${indexOf(it)}" (rowid, ${quoted(it.columns)})`)} values (${id}${values})`;
}

function listedIn({ listed }: FullText, row = ''): string {
  return listed.map(({ column, is }) => `${row}"${column}" ${is}`).join(' AND ');
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}
