import type { Database } from 'bun:sqlite';
import { type Queryable, rowsOf } from './shape.ts';

/** Something that the engine has created for a resource, so that it may drop it. Tables it never drops. */
export interface SchemaRecord {
  name: string;
  /** `fill`: the statements with the hash in its name have run. */
  kind: 'table' | 'index' | 'derived' | 'fill';
  resource: string;
  /** The table of an index, or the one whose rows fill a derived object. */
  of: string;
}

const CREATE = `CREATE TABLE IF NOT EXISTS hutch_schema (
	name TEXT PRIMARY KEY NOT NULL, kind TEXT NOT NULL, resource TEXT NOT NULL, of TEXT NOT NULL
) STRICT`;

export function readRecords(client: Queryable): SchemaRecord[] {
  const exists = `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'hutch_schema'`;
  if (rowsOf(client, exists).length === 0) return [];
  return rowsOf(client, 'SELECT name, kind, resource, of FROM hutch_schema ORDER BY name');
}

/** Replaces all records. */
export function writeRecords(client: Database, records: readonly SchemaRecord[]): void {
  client.run(CREATE);
  client.run('DELETE FROM hutch_schema');
  const insert = client.query('INSERT INTO hutch_schema VALUES (?, ?, ?, ?)');
  for (const { name, kind, resource, of } of records) insert.run(name, kind, resource, of);
}

export function areEqual(some: readonly SchemaRecord[], others: readonly SchemaRecord[]): boolean {
  const text = (records: readonly SchemaRecord[]) =>
    records.map(({ name, kind, resource, of }) => [name, kind, resource, of].join('\0')).sort();
  return text(some).join('\n') === text(others).join('\n');
}
