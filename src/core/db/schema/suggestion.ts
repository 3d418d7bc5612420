import { Database } from 'bun:sqlite';
import { createCatalog } from './catalog.ts';
import { type Changes, changesOf, holds, isConstant, ownChecks } from './changes.ts';
import { planIndexes } from './indexes.ts';
import type { ColumnShape, TableShape } from './shape.ts';
import { quoted, tokensOf } from './tokens.ts';

export interface Rebuild {
  found: TableShape;
  wanted: TableShape;
  changes: Changes;
  /** The indexes and triggers that a rebuilt table gets. */
  keep: string[];
  /** The indexes that the engine has made. */
  made: ReadonlySet<string>;
}

/** A column of the file that may have got a new name. */
interface Rename {
  from: string;
  to: string;
}

/**
 * Writes the statements that change a table to its declaration. If a column is gone and another one
 * is new, they show both readings: the column was renamed, or it was dropped and another one added.
 * Rows that the declaration forbids make the statements fail.
 */
export function suggestChange(rebuild: Rebuild): string {
  const { found, changes } = rebuild;
  const renames = possibleRenames(changes);
  const alters = renames.map(
    ({ from, to }) =>
      `ALTER TABLE ${quoted(found.name)} RENAME COLUMN ${quoted(from)} TO ${quoted(to)};`,
  );
  const indexes = alters.length > 0 ? indexesAfter(alters, rebuild) : undefined;
  if (!indexes) return rebuildSql(rebuild, renames);
  const names = (key: keyof Rename) => renames.map((it) => quoted(it[key])).join(', ');
  return [
    `-- If ${names('to')} is the new name of ${names('from')}:`,
    ...alters,
    ...indexes,
    `-- If it is not, use this instead, which drops the values of ${names('from')}:`,
    commented(rebuildSql(rebuild, [])),
  ].join('\n');
}

/** Writes the statements for a new table that may be a renamed one. */
export function suggestRename(from: string, { name, sql, indexes }: TableShape): string {
  return [
    `-- If ${quoted(name)} is the new name of ${quoted(from)}:`,
    `ALTER TABLE ${quoted(from)} RENAME TO ${quoted(name)};`,
    `-- If it is not, use this instead. ${quoted(from)} stays as it is:`,
    commented([sql, ...indexes.map((it) => it.sql)].map((it) => `${it};`).join('\n')),
  ].join('\n');
}

function possibleRenames({ gone, added }: Changes): Rename[] {
  const free = [...added];
  return gone.flatMap((column) => {
    const at = free.findIndex(({ type }) => type === column.type);
    const [to] = at < 0 ? [] : free.splice(at, 1);
    return to ? [{ from: column.name, to: to.name }] : [];
  });
}

/**
 * Returns the indexes that a table like the found one lacks after the statements; undefined if it
 * also differs in other ways.
 */
function indexesAfter(
  statements: readonly string[],
  { found, wanted, made }: Rebuild,
): string[] | undefined {
  using client = new Database(':memory:');
  for (const sql of [found.sql, ...found.indexes.map((it) => it.sql), ...statements]) {
    client.run(sql);
  }
  const renamed = createCatalog(client).table(found.name) as TableShape;
  const changes = changesOf(renamed, wanted);
  if (changes.added.length + changes.problems.length > 0) return undefined;
  return planIndexes(renamed, wanted, changes, made).sql.map((sql) => `${sql};`);
}

/** Copies the rows to a new table, which takes the place of the old one. */
function rebuildSql({ found, wanted, keep }: Rebuild, renames: readonly Rename[]): string {
  const { name } = wanted;
  const copy = `${name}_new`;
  const values = wanted.columns.flatMap((column) =>
    copiedValue(column, { found, wanted }, renames),
  );
  const columns = values.map((it) => quoted(it.column)).join(', ');
  const selected = values.map(({ sql, note }, at) => {
    const comma = at < values.length - 1 ? ',' : '';
    return `\t${sql}${comma}${note ? ` -- ${note}` : ''}`;
  });
  return [
    `${wanted.sql.replace(quoted(name), () => quoted(copy))};`,
    `INSERT INTO ${quoted(copy)} (${columns}) SELECT`,
    ...selected,
    `FROM ${quoted(name)};`,
    ...(found.isAutoIncrement && wanted.isAutoIncrement ? sequenceSql(name, copy) : []),
    `DROP TABLE ${quoted(name)};`,
    // Otherwise triggers of other tables that use this one would refuse the new name.
    'PRAGMA legacy_alter_table = ON;',
    `ALTER TABLE ${quoted(copy)} RENAME TO ${quoted(name)};`,
    'PRAGMA legacy_alter_table = OFF;',
    ...keep.map((sql) => `${sql};`),
  ].join('\n');
}

/** Keeps the ids of deleted rows from being used again. */
function sequenceSql(name: string, copy: string): string[] {
  return [
    `DELETE FROM sqlite_sequence WHERE name = ${text(copy)};`,
    `INSERT INTO sqlite_sequence (name, seq)
	SELECT ${text(copy)}, seq FROM sqlite_sequence WHERE name = ${text(name)};`,
  ];
}

interface Value {
  column: string;
  sql: string;
  note?: string;
}

/** The value of a column in copied rows; none if the default applies. */
function copiedValue(
  column: ColumnShape,
  tables: Pick<Rebuild, 'found' | 'wanted'>,
  renames: readonly Rename[],
): Value[] {
  const { name, isGenerated, isRequired } = column;
  if (isGenerated) return [];
  const rename = renames.find(({ to }) => to === name);
  const old = tables.found.columns.find((it) => it.name === (rename?.from ?? name));
  const needsValue = isRequired && column.default === null;
  if (!old) {
    if (!needsValue) return [];
    const note = `${quoted(name)} is new: choose the value of existing rows`;
    return [{ column: name, sql: someValue(column, tables.wanted), note }];
  }
  const mayBeNull = isRequired && !old.isRequired && old.key === 0;
  const instead = mayBeNull ? defaultOr(column, tables.wanted) : undefined;
  const sql =
    instead === undefined ? quoted(old.name) : `coalesce(${quoted(old.name)}, ${instead})`;
  const notes = [
    ...(instead === undefined ? [] : ['choose the value of rows without one']),
    ...(rename
      ? [`if ${quoted(name)} is not the new name, write ${otherwise(column, tables.wanted)}`]
      : []),
  ];
  return [{ column: name, sql, ...(notes.length > 0 && { note: notes.join('; ') }) }];
}

function defaultOr(column: ColumnShape, wanted: TableShape): string {
  const value = column.default;
  return value !== null && isConstant(value) ? value : someValue(column, wanted);
}

/** The value of a new column that replaces a dropped one. */
function otherwise(column: ColumnShape, wanted: TableShape): string {
  return column.isRequired ? defaultOr(column, wanted) : (column.default ?? 'NULL');
}

const CANDIDATES: Record<string, string[]> = {
  TEXT: [`''`, `'-'`, `'[]'`, `'{}'`, `'1970-01-01T00:00:00.000Z'`],
  INTEGER: ['0', '1'],
  REAL: ['0.0', '1.0'],
  BLOB: [`x''`, `x'00'`],
};
/** Lengths of text that are tried for a check that demands more. */
const LENGTHS = [2, 3, 4, 5, 8, 10, 16, 20, 32, 64];

/** A value that the checks of a required column accept, as SQL. */
function someValue(column: ColumnShape, wanted: TableShape): string {
  const { name, type } = column;
  const reference = wanted.references.find(({ columns }) => columns.includes(name));
  if (reference) {
    const to = reference.to[reference.columns.indexOf(name)] ?? '';
    return `(SELECT min(${quoted(to)}) FROM ${quoted(reference.table)})`;
  }
  const checks = ownChecks(wanted, name);
  const isUnique =
    wanted.hasRowId && wanted.indexes.some((it) => it.isUnique && it.columns.join() === name);
  const lengths = type === 'TEXT' ? LENGTHS.map((it) => `'${'-'.repeat(it)}'`) : [];
  const candidates = [
    ...(isUnique ? ['rowid', `'-' || rowid`] : []),
    ...(CANDIDATES[type] ?? ['0']),
    ...lengths,
    ...checks.flatMap(({ sql }) => literalsOf(sql)),
  ];
  const isAllowed = (value: string) => {
    const sample = value.replace('rowid', '1');
    return checks.every((check) => holds(check, { [name]: sample }));
  };
  return candidates.find(isAllowed) ?? candidates[0] ?? `''`;
}

/** The literals of an expression, such as the values of a choice. */
function literalsOf(sql: string): string[] {
  return tokensOf(sql)
    .filter(({ kind, text: it }) => kind === 'text' || /^[\d.]/.test(it))
    .map((token) => sql.slice(token.start, token.end));
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function commented(sql: string): string {
  return sql.replace(/^/gm, '-- ');
}
