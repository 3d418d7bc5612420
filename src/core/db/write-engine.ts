import type { Database } from 'bun:sqlite';
import { type BunSQLiteDatabase, drizzle } from 'drizzle-orm/bun-sqlite';
import type { Tx } from './writer.ts';

/** A connection that writes, with the statements that transactions are made of. */
export interface Engine {
  client: Database;
  orm: BunSQLiteDatabase;
  sql: ReturnType<typeof prepareSteps>;
}

export function createEngine(client: Database): Engine {
  return { client, orm: drizzle(client), sql: prepareSteps(client) };
}

/** Prepared once: parsing it again costs as much as a row. */
function prepareSteps(client: Database) {
  return {
    begin: client.prepare('BEGIN IMMEDIATE'),
    save: client.prepare('SAVEPOINT job'),
    release: client.prepare('RELEASE job'),
    undo: client.prepare('ROLLBACK TO job'),
    commit: client.prepare('COMMIT'),
    rollback: client.prepare('ROLLBACK'),
  };
}

/** False as well when the connection is dead. */
export function isInTransaction({ client }: Engine): boolean {
  try {
    return client.inTransaction;
  } catch {
    return false;
  }
}

/** Gives up a connection: as long as one of its statements lives, so do its locks. */
export function discard({ client, sql }: Engine): void {
  const { rollback, ...others } = sql;
  const steps = [() => rollback.run(), () => rollback.finalize(), () => client.close()];
  for (const statement of Object.values(others)) steps.push(() => statement.finalize());
  for (const step of steps) {
    try {
      step();
    } catch {
      // It is broken: what can be given back is given back.
    }
  }
}

/** The transaction of one job; closing it refuses what the job does too late. */
export function openTx(orm: BunSQLiteDatabase): Tx & { isOpen: boolean; effects: (() => void)[] } {
  const effects: (() => void)[] = [];
  return {
    isOpen: true,
    effects,
    get orm() {
      if (!this.isOpen) throw new Error('The transaction has ended: a query was not awaited.');
      return orm;
    },
    afterCommit: (effect) => void effects.push(effect),
  };
}
