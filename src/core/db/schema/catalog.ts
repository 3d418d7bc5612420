import {
  type CheckShape,
  type ColumnShape,
  type IndexShape,
  type Queryable,
  type ReferenceShape,
  rowsOf,
  type TableShape,
} from './shape.ts';
import { closingOf, isWord, normalized, type Token, tokensOf } from './tokens.ts';

/** A row of sqlite_master with a definition. */
export interface StoredObject {
  type: 'table' | 'index' | 'trigger' | 'view';
  name: string;
  /** The table of an index or a trigger. */
  table: string;
  sql: string;
}

/** The definitions of a database at one moment. */
export interface Catalog {
  object(name: string): StoredObject | undefined;
  triggersOf(table: string): StoredObject[];
  /** An ordinary table; undefined for a virtual one, or if there is none with this name. */
  table(name: string): TableShape | undefined;
}

interface TableRow {
  name: string;
  wr: number;
  strict: number;
}

interface ColumnRow {
  table: string;
  name: string;
  type: string;
  notnull: number;
  dflt_value: string | null;
  pk: number;
  hidden: number;
}

interface ReferenceRow {
  own: string;
  id: number;
  table: string;
  from: string;
  to: string | null;
  on_update: string;
  on_delete: string;
}

interface IndexColumnRow {
  index: string;
  name: string;
}

/** Virtual tables have columns of their own, which no one compares. */
const TABLES = `(SELECT name FROM sqlite_master
  WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\') AS own`;

/** Reads all definitions by a few queries: one for each table would read the whole schema each time. */
export function createCatalog(client: Queryable): Catalog {
  const objects = rowsOf<StoredObject>(
    client,
    'SELECT type, name, tbl_name AS "table", sql FROM sqlite_master WHERE sql IS NOT NULL',
  );
  const byName = new Map(objects.map((it) => [it.name, it]));
  const byTable = Map.groupBy(objects, (it) => it.table);
  const details = readDetails(client);
  const shapes = new Map<string, TableShape | undefined>();
  const shapeOf = (name: string): TableShape | undefined => {
    const kind = details.tables.get(name);
    const sql = byName.get(name)?.sql;
    if (!kind || sql === undefined) return undefined;
    const columns = (details.columns.get(name) ?? []).map(columnOf);
    const tokens = tokensOf(sql);
    const checks = checksOf(tokens, sql, name, columns);
    const own = checks.filter((check) => !columns.some((column) => isTypeCheck(check, column)));
    const isStrict = kind.strict === 1;
    return {
      name,
      sql,
      isStrict,
      isTyped: isStrict || own.length < checks.length || columns.every(isRowId),
      hasRowId: kind.wr === 0,
      isAutoIncrement: tokens.some((token) => isWord(token, 'autoincrement')),
      columns,
      checks: own,
      references: referencesOf(details.references.get(name) ?? []),
      indexes: (byTable.get(name) ?? [])
        .filter(({ type }) => type === 'index')
        .map((it) => indexOf(it, details.indexColumns.get(it.name) ?? []))
        .sort((one, other) => (one.name < other.name ? -1 : 1)),
    };
  };
  return {
    object: (name) => byName.get(name),
    triggersOf: (table) => (byTable.get(table) ?? []).filter(({ type }) => type === 'trigger'),
    table: (name) => {
      if (!shapes.has(name)) shapes.set(name, shapeOf(name));
      return shapes.get(name);
    },
  };
}

function readDetails(client: Queryable) {
  const tables = rowsOf<TableRow>(
    client,
    `SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'`,
  );
  const columns = rowsOf<ColumnRow>(
    client,
    `SELECT own.name AS "table", it.* FROM ${TABLES}, pragma_table_xinfo(own.name) AS it`,
  );
  const references = rowsOf<ReferenceRow>(
    client,
    `SELECT own.name AS own, it.* FROM ${TABLES}, pragma_foreign_key_list(own.name) AS it
     ORDER BY own.name, it.id, it.seq`,
  );
  const indexColumns = rowsOf<IndexColumnRow>(
    client,
    `SELECT own.name AS "index", it.name FROM sqlite_master AS own, pragma_index_info(own.name) AS it
     WHERE own.type = 'index' AND own.sql IS NOT NULL AND it.name IS NOT NULL`,
  );
  return {
    tables: new Map(tables.map((it) => [it.name, it])),
    columns: Map.groupBy(columns, (it) => it.table),
    references: Map.groupBy(references, (it) => it.own),
    indexColumns: Map.groupBy(indexColumns, (it) => it.index),
  };
}

function columnOf({ name, type, notnull, dflt_value, pk, hidden }: ColumnRow): ColumnShape {
  return {
    name,
    type: type.toUpperCase(),
    isRequired: notnull === 1,
    default: dflt_value === null ? null : defaultOf(dflt_value),
    key: pk,
    isGenerated: hidden !== 0,
  };
}

function isRowId({ type, key }: ColumnShape): boolean {
  return type === 'INTEGER' && key === 1;
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

function referencesOf(rows: readonly ReferenceRow[]): ReferenceShape[] {
  return [...Map.groupBy(rows, ({ id }) => id).values()]
    .map((parts) => ({
      columns: parts.map(({ from }) => from),
      table: parts[0]?.table ?? '',
      to: parts.map(({ to }) => to ?? ''),
      onUpdate: parts[0]?.on_update ?? '',
      onDelete: parts[0]?.on_delete ?? '',
    }))
    .sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}

function indexOf(
  { name, table, sql }: StoredObject,
  columns: readonly IndexColumnRow[],
): IndexShape {
  const tokens = tokensOf(sql);
  const on = tokens.findIndex((token) => isWord(token, 'on'));
  const isUnique = isWord(tokens[1], 'unique');
  const body = `${isUnique} ${normalized(tokens.slice(on + 2), table)}`;
  return { name, sql, isUnique, body, columns: columns.map((it) => it.name) };
}
