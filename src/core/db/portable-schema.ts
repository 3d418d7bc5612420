import type { Database } from 'bun:sqlite';
import { DatabaseSync } from 'node:sqlite';
import { LOCK_PATIENCE_MS } from './busy.ts';

/** A table and the statement that creates it. */
export interface Table {
  name: string;
  sql: string;
}

interface Column {
  name: string;
  type: string;
  notnull: number;
  pk: number;
}

const END = /\n?\)(?: (STRICT))?(?:,? (WITHOUT ROWID))?$/;
const OCTET_LENGTH = /octet_length\(("\w+"(?:\."\w+")?)\)/g;

/**
 * Returns the tables whose definition SQLite 3.34 cannot read, with an equivalent that it can: tools
 * of supported systems (RHEL 9: 3.34, Ubuntu 22.04: 3.37, Debian 12: 3.40) must check, copy and
 * restore the database. They lack STRICT tables (3.37) and octet_length (3.43). A CHECK per column,
 * including columns added later, replaces STRICT; length(cast(… as blob)) counts the same bytes.
 */
export function portableTables(client: Database): Table[] {
  const tables = client.query("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all();
  return (tables as Table[]).flatMap(({ name, sql }) => {
    const text = portableText(sql, columnsOf(client, name));
    return text === sql ? [] : [{ name, sql: text }];
  });
}

/**
 * Returns the tables of these names whose definition has the form of `portableTables`, with the
 * equivalent STRICT definition: ALTER TABLE cannot drop a column that a check of the table uses.
 */
export function strictTables(client: Database, names: readonly string[]): Table[] {
  const query = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name = ?";
  const tables = names.flatMap((name) => client.query(query).all(name) as Table[]);
  return tables.flatMap(({ name, sql }) => {
    const text = strictText(sql, columnsOf(client, name));
    return text === sql ? [] : [{ name, sql: text }];
  });
}

/**
 * Replaces the definitions of tables in a database file, in one transaction that touches no row. No
 * other connection of this process may be open: closing this one would release the locks of
 * connections of another copy of the library. Throws for a definition that cannot be parsed, and
 * then changes nothing.
 */
export function replaceTables(path: string, tables: readonly Table[]): void {
  const client = new DatabaseSync(path);
  try {
    client.exec(`PRAGMA busy_timeout = ${LOCK_PATIENCE_MS}`);
    // Required for writing to sqlite_master; bun:sqlite has no such option.
    client.enableDefensive(false);
    client.exec('BEGIN IMMEDIATE');
    replaceTexts(client, tables);
    client.exec('COMMIT');
  } finally {
    // Rolls back an uncommitted transaction.
    client.close();
  }
}

function columnsOf(client: Database, table: string): Column[] {
  const columns = 'SELECT name, upper(type) AS type, "notnull", pk FROM pragma_table_info(?)';
  return client.query(columns).all(table) as Column[];
}

/** The definition of a table without STRICT and octet_length, but with equivalent checks. */
function portableText(sql: string, columns: readonly Column[]): string {
  const text = sql.replaceAll(OCTET_LENGTH, 'length(cast($1 as blob))');
  const [end, isStrict, isOfKey] = END.exec(text) ?? [];
  // Tables that never were STRICT are SQLite's own.
  if (end === undefined || !(isStrict || text.includes('CHECK(typeof('))) return text;
  const checks = columns
    // SQLite itself accepts only integers as row ids.
    .filter(({ pk, type }) => isOfKey || pk !== 1 || type !== 'INTEGER')
    .map(typeCheck)
    .filter((check) => !text.includes(check))
    .map((check) => `,\n\t${check}`);
  return `${text.slice(0, -end.length)}${checks.join('')}\n)${isOfKey ? ' WITHOUT ROWID' : ''}`;
}

/** The definition of a table with STRICT in place of the checks of types; unchanged without them. */
function strictText(sql: string, columns: readonly Column[]): string {
  const text = columns.reduce((it, column) => it.replace(`,\n\t${typeCheck(column)}`, ''), sql);
  const [end, , isOfKey] = END.exec(text) ?? [];
  if (text === sql || end === undefined || text.includes('CHECK(typeof(')) return sql;
  return `${text.slice(0, -end.length)}\n) STRICT${isOfKey ? ', WITHOUT ROWID' : ''}`;
}

/** The check that replaces STRICT for a column. */
export function typeCheck({ name, type, notnull, pk }: Column): string {
  const kind = `'${type.toLowerCase()}'`;
  const isRequired = notnull === 1 || pk > 0;
  return `CHECK(typeof("${name}") ${isRequired ? `= ${kind}` : `in (${kind}, 'null')`})`;
}

function replaceTexts(client: DatabaseSync, tables: readonly Table[]): void {
  client.exec('PRAGMA writable_schema = ON');
  const update = client.prepare(
    "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?",
  );
  for (const { name, sql } of tables) update.run(sql, name);
  // Other connections reload the schema when its version changes, this one at the reset.
  const [version] = client.prepare('PRAGMA schema_version').all();
  client.exec(`PRAGMA schema_version = ${Number(version?.['schema_version']) + 1}`);
  client.exec('PRAGMA writable_schema = RESET');
  for (const { name } of tables) client.prepare(`SELECT * FROM "${name}" LIMIT 0`).all();
}
