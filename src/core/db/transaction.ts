import type { Database } from 'bun:sqlite';
import { type BunSQLiteDatabase, drizzle } from 'drizzle-orm/bun-sqlite';

/** The work of one writer in a transaction. Others see it only after the commit. */
export interface Tx {
  /** Drizzle on the writer connection; throws once the writer's work has ended. */
  readonly orm: BunSQLiteDatabase;
  /** Runs `effect` right after the commit, and never without one. */
  afterCommit(effect: () => void): void;
}

/** A connection for writing, with its prepared transaction statements. */
export interface Engine {
  client: Database;
  orm: BunSQLiteDatabase;
  sql: ReturnType<typeof prepareSteps>;
}

export function createEngine(client: Database): Engine {
  return { client, orm: drizzle(client), sql: prepareSteps(client) };
}

/** Prepares the statements once: parsing one costs as much as writing a row. */
function prepareSteps(client: Database) {
  return {
    begin: client.prepare('BEGIN IMMEDIATE'),
    save: client.prepare('SAVEPOINT write'),
    release: client.prepare('RELEASE write'),
    undo: client.prepare('ROLLBACK TO write'),
    commit: client.prepare('COMMIT'),
    rollback: client.prepare('ROLLBACK'),
  };
}

/** Returns false for a dead connection too. */
export function isInTransaction({ client }: Engine): boolean {
  try {
    return client.inTransaction;
  } catch {
    return false;
  }
}

/** Closes a connection with its statements: an open statement would hold its locks. */
export function discard({ client, sql }: Engine): void {
  const { rollback, ...others } = sql;
  const steps = [() => rollback.run(), () => rollback.finalize(), () => client.close()];
  for (const statement of Object.values(others)) steps.push(() => statement.finalize());
  for (const step of steps) {
    try {
      step();
    } catch {
      // The connection is broken: release as much as possible.
    }
  }
}

/** Opens the transaction of one write. Queries fail once `isOpen` is false. */
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
