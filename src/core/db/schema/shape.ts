import { closingOf, isWord, normalized, type Token, tokensOf } from './tokens.ts';

/** A connection of bun:sqlite or node:sqlite. */
export interface Queryable {
  // biome-ignore lint/suspicious/noExplicitAny: both libraries have their own types of values.
  prepare(sql: string): { all(...values: any[]): unknown[] };
}

/** The definition of a table, in a form in which equal definitions are equal values. */
export interface TableShape {
  name: string;
  sql: string;
  isStrict: boolean;
  /** True if the types of columns are enforced: by STRICT, by the checks that replace it, or as row ids. */
  isTyped: boolean;
  hasRowId: boolean;
  isAutoIncrement: boolean;
  columns: ColumnShape[];
  checks: CheckShape[];
  references: ReferenceShape[];
  indexes: IndexShape[];
}

export interface ColumnShape {
  name: string;
  /** In upper case. */
  type: string;
  isRequired: boolean;
  default: string | null;
  /** The place in the primary key, from 1; 0 outside of it. */
  key: number;
  isGenerated: boolean;
}

export interface CheckShape {
  /** The normalized expression. */
  text: string;
  /** The expression as written. */
  sql: string;
  /** The names of the columns that it uses. */
  columns: string[];
}

export interface ReferenceShape {
  columns: string[];
  table: string;
  to: string[];
  onUpdate: string;
  onDelete: string;
}

export interface IndexShape {
  name: string;
  sql: string;
  /** The normalized definition without the name. */
  body: string;
  isUnique: boolean;
  /** The names of its columns, without expressions. */
  columns: string[];
}

/** All rows of a query. */
export function rowsOf<R>(client: Queryable, sql: string, ...values: unknown[]): R[] {
  return client.prepare(sql).all(...values) as R[];
}

/** Reads a table of a database; undefined if there is none with this name. */
export function readTable(client: Queryable, name: string): TableShape | undefined {
  const [found] = rowsOf<{ sql: string; wr: number; strict: number }>(
    client,
    `SELECT m.sql, l.wr, l.strict FROM sqlite_master m JOIN pragma_table_list l ON l.name = m.name
     WHERE l.schema = 'main' AND l.type = 'table' AND m.type = 'table' AND m.name = ?`,
    name,
  );
  if (!found) return undefined;
  const tokens = tokensOf(found.sql);
  const columns = readColumns(client, name);
  const checks = checksOf(tokens, found.sql, name, columns);
  const own = checks.filter((check) => !columns.some((column) => isTypeCheck(check, column)));
  return {
    name,
    sql: found.sql,
    isStrict: found.strict === 1,
    isTyped: found.strict === 1 || own.length < checks.length || columns.every(isRowId),
    hasRowId: found.wr === 0,
    isAutoIncrement: tokens.some((token) => isWord(token, 'autoincrement')),
    columns,
    checks: own,
    references: readReferences(client, name),
    indexes: readIndexes(client, name),
  };
}

function isRowId({ type, key }: ColumnShape): boolean {
  return type === 'INTEGER' && key === 1;
}

function readColumns(client: Queryable, table: string): ColumnShape[] {
  const rows = rowsOf<{
    name: string;
    type: string;
    notnull: number;
    dflt_value: string | null;
    pk: number;
    hidden: number;
  }>(
    client,
    'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)',
    table,
  );
  return rows.map(({ name, type, notnull, dflt_value, pk, hidden }) => ({
    name,
    type: type.toUpperCase(),
    isRequired: notnull === 1,
    default: dflt_value === null ? null : defaultOf(dflt_value),
    key: pk,
    isGenerated: hidden !== 0,
  }));
}

function defaultOf(sql: string): string {
  const text = normalized(tokensOf(sql), '');
  if (text === 'true') return '1';
  return text === 'false' ? '0' : text;
}

function checksOf(
  tokens: readonly Token[],
  sql: string,
  table: string,
  columns: readonly ColumnShape[],
): CheckShape[] {
  const checks: CheckShape[] = [];
  for (let at = 0; at < tokens.length; at++) {
    if (!isWord(tokens[at], 'check') || tokens[at + 1]?.text !== '(') continue;
    const end = closingOf(tokens, at + 1);
    const inner = tokens.slice(at + 2, end);
    const names = new Set(inner.map(({ text }) => text.toLowerCase()));
    checks.push({
      text: normalized(inner, table),
      sql: sql.slice(inner[0]?.start, inner.at(-1)?.end),
      columns: columns.map(({ name }) => name).filter((name) => names.has(name.toLowerCase())),
    });
    at = end;
  }
  return checks;
}

/** Returns true for the check that replaces STRICT for `column` in the portable form of a table. */
function isTypeCheck({ text }: CheckShape, column: ColumnShape): boolean {
  const start = `typeof ( ${column.name.toLowerCase()} ) `;
  const type = `'${column.type.toLowerCase()}'`;
  return text === `${start}= ${type}` || text === `${start}in ( ${type} , 'null' )`;
}

function readReferences(client: Queryable, table: string): ReferenceShape[] {
  const rows = rowsOf<{
    id: number;
    table: string;
    from: string;
    to: string | null;
    on_update: string;
    on_delete: string;
  }>(client, 'SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq', table);
  return [...Map.groupBy(rows, ({ id }) => id).values()]
    .map((parts) => ({
      columns: parts.map(({ from }) => from),
      table: parts[0]?.table ?? '',
      to: parts.map(({ to }) => to ?? ''),
      onUpdate: parts[0]?.on_update ?? '',
      onDelete: parts[0]?.on_delete ?? '',
    }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function readIndexes(client: Queryable, table: string): IndexShape[] {
  const rows = rowsOf<{ name: string; sql: string }>(
    client,
    `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL
     ORDER BY name`,
    table,
  );
  return rows.map(({ name, sql }) => {
    const tokens = tokensOf(sql);
    const on = tokens.findIndex((token) => isWord(token, 'on'));
    const isUnique = isWord(tokens[1], 'unique');
    const body = `${isUnique} ${normalized(tokens.slice(on + 2), table)}`;
    return { name, sql, isUnique, body, columns: columnsOfIndex(client, name) };
  });
}

function columnsOfIndex(client: Queryable, index: string): string[] {
  const columns = 'SELECT name FROM pragma_index_info(?) WHERE name IS NOT NULL';
  return rowsOf<{ name: string }>(client, columns, index).map(({ name }) => name);
}
