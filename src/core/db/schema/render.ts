import { is, SQL, sql } from 'drizzle-orm';
import {
  type Check,
  type ForeignKey,
  getTableConfig,
  type Index,
  type SQLiteColumn,
  SQLiteSyncDialect,
  type SQLiteTable,
} from 'drizzle-orm/sqlite-core';
import { quoted, tokensOf } from './tokens.ts';

type Config = ReturnType<typeof getTableConfig>;

/** The statements that create a table of Drizzle and its indexes. */
export interface TableSql {
  name: string;
  /** The definition of each column, by name. */
  columns: Record<string, string>;
  create: string;
  indexes: string[];
}

/**
 * Writes a table of Drizzle as SQL, STRICT like all tables of Hutch. A check of one column stands in
 * that column, so that ALTER TABLE can drop both.
 */
export function renderTable(table: SQLiteTable): TableSql {
  const config = getTableConfig(table);
  const { name, columns, primaryKeys, foreignKeys } = config;
  const checks = config.checks.map((check) => ({ check, column: onlyColumnOf(check, config) }));
  const definitions = columns.map((column) => {
    const words = [
      columnSql(column),
      ...foreignKeys.filter((key) => isOf(key, column)).map(referenceSql),
      ...checks.filter((it) => it.column === column).map(({ check }) => checkSql(check)),
    ];
    return [column.name, words.join(' ')] as const;
  });
  const parts = [
    ...definitions.map(([, definition]) => definition),
    ...primaryKeys.map((key) => `PRIMARY KEY (${namesOf(key.columns)})`),
    ...foreignKeys.filter((key) => key.reference().columns.length > 1).map(foreignKeySql),
    ...checks.filter((it) => it.column === undefined).map(({ check }) => checkSql(check)),
  ];
  const end = primaryKeys.length > 0 ? 'STRICT, WITHOUT ROWID' : 'STRICT';
  const create = `CREATE TABLE ${quoted(name)} (\n\t${parts.join(',\n\t')}\n) ${end}`;
  const byName = Object.fromEntries(definitions);
  return {
    name,
    columns: byName,
    create,
    indexes: [...uniqueSqls(config), ...config.indexes.map(indexSql)],
  };
}

/** The statements that create a table and its indexes. */
export function createStatements(table: SQLiteTable): string[] {
  const { create, indexes } = renderTable(table);
  return [create, ...indexes];
}

/** Prints an expression without parameters and without the table of its columns. */
function print(expression: SQL): string {
  // A dialect caches the columns of tables by name, and a reloaded table may have others.
  return new SQLiteSyncDialect().sqlToQuery(sql`${expression}`.inlineParams(), 'indexes').sql;
}

function columnSql(column: SQLiteColumn): string {
  const words = [quoted(column.name), column.getSQLType()];
  if (column.primary) words.push('PRIMARY KEY');
  if ('autoIncrement' in column && column.autoIncrement === true) words.push('AUTOINCREMENT');
  if (column.notNull || column.primary) words.push('NOT NULL');
  if (column.default !== undefined) words.push(`DEFAULT ${defaultSql(column)}`);
  return words.join(' ');
}

function defaultSql(column: SQLiteColumn): string {
  const { default: value } = column;
  return is(value, SQL) ? `(${print(value)})` : literal(column.mapToDriverValue(value));
}

function literal(value: unknown): string {
  if (value === null) return 'NULL';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  return `'${String(value).replaceAll("'", "''")}'`;
}

function checkSql({ name, value }: Check): string {
  return `CONSTRAINT ${quoted(name)} CHECK(${print(value)})`;
}

/** The column of a check, unless it has several. */
function onlyColumnOf({ value }: Check, { columns }: Config): SQLiteColumn | undefined {
  const names = new Set(tokensOf(print(value)).map(({ text }) => text));
  const used = columns.filter(({ name }) => names.has(name));
  return used.length === 1 ? used[0] : undefined;
}

function isOf(key: ForeignKey, column: SQLiteColumn): boolean {
  const { columns } = key.reference();
  return columns.length === 1 && columns[0] === column;
}

function referenceSql(key: ForeignKey): string {
  const { foreignTable, foreignColumns } = key.reference();
  const { name } = getTableConfig(foreignTable);
  const actions = [
    ...(key.onUpdate ? [` ON UPDATE ${key.onUpdate}`] : []),
    ...(key.onDelete ? [` ON DELETE ${key.onDelete}`] : []),
  ];
  return `REFERENCES ${quoted(name)} (${namesOf(foreignColumns)})${actions.join('')}`;
}

function foreignKeySql(key: ForeignKey): string {
  return `FOREIGN KEY (${namesOf(key.reference().columns)}) ${referenceSql(key)}`;
}

function indexSql({ config }: Index): string {
  const { name, table, unique, columns, where } = config;
  const parts = columns.map((it) => (is(it, SQL) ? print(it) : quoted(it.name)));
  const on = `${quoted(name)} ON ${quoted(getTableConfig(table).name)} (${parts.join(', ')})`;
  const filter = where ? ` WHERE ${print(where)}` : '';
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${on}${filter}`;
}

/** The unique indexes of `unique()`, named as drizzle-kit names them. */
function uniqueSqls({ name, columns, uniqueConstraints }: Config): string[] {
  const ofColumns = columns
    .filter(({ isUnique }) => isUnique)
    .map((it) => ({ name: it.uniqueName ?? `${name}_${it.name}_unique`, columns: [it] }));
  const ofTable = uniqueConstraints.map((it) => ({ name: it.name ?? '', columns: it.columns }));
  return [...ofColumns, ...ofTable].map(
    (it) => `CREATE UNIQUE INDEX ${quoted(it.name)} ON ${quoted(name)} (${namesOf(it.columns)})`,
  );
}

function namesOf(columns: readonly { name: string }[]): string {
  return columns.map(({ name }) => quoted(name)).join(', ');
}
