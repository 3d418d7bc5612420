import type { Database, SQLQueryBindings, Statement } from 'bun:sqlite';
import { type SQL, sql } from 'drizzle-orm';
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core';
import { LRUCache } from 'lru-cache';
import type { Session } from './db.ts';

/** Texts that a connection keeps prepared: more than the usual shapes of a list, in 1 MB or so. */
const MAX_STATEMENTS = 200;

const dialect = new SQLiteSyncDialect();
const prepared = new WeakMap<object, LRUCache<string, Statement>>();

/**
 * The rows of a query that is put together anew each time, as SQLite gives them. It is parsed
 * once for each text: whatever differs from call to call should be a parameter.
 */
export async function rowsOf<R>({ orm }: Session, query: SQL): Promise<R[]> {
  const { sql: text, params } = dialect.sqlToQuery(query);
  const statements = prepared.get(orm) ?? new LRUCache({ max: MAX_STATEMENTS, dispose: finalize });
  prepared.set(orm, statements);
  let statement = statements.get(text);
  if (!statement) {
    statement = (orm as unknown as { $client: Database }).$client.prepare(text);
    statements.set(text, statement);
  }
  return statement.all(...(params as SQLQueryBindings[])) as R[];
}

/** A part of such queries that has no parameters, put into text once. */
export function fixed(part: SQL): SQL {
  return sql.raw(dialect.sqlToQuery(part).sql);
}

function finalize(statement: Statement): void {
  statement.finalize();
}
