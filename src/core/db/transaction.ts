import type { Database } from 'bun:sqlite';
import { type BunSQLiteDatabase, drizzle } from 'drizzle-orm/bun-sqlite';

/** The work of one writer in a transaction. Others see it only after the commit. */
export interface Tx {
  /** Drizzle on the writer connection; throws once the writer's work has ended. */
  readonly orm: BunSQLiteDatabase;
  /** Runs `effect` right after the commit, and never without one. */
  afterCommit(effect: () => void): void;
  /**
   * Runs a part of the work. If it throws, its writes and effects are undone, and the caller may go
   * on. Parts must run one after another.
   */
  part<T>(work: () => Promise<T>): Promise<T>;
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
    savePart: client.prepare('SAVEPOINT part'),
    releasePart: client.prepare('RELEASE part'),
    undoPart: client.prepare('ROLLBACK TO part'),
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
export function openTx(engine: Engine): Tx & { isOpen: boolean; effects: (() => void)[] } {
  const effects: (() => void)[] = [];
  return {
    isOpen: true,
    effects,
    get orm() {
      if (!this.isOpen) throw new Error('The transaction has ended: a query was not awaited.');
      return engine.orm;
    },
    afterCommit: (effect) => void effects.push(effect),
    part(work) {
      return runPart(engine, this, work);
    },
  };
}

async function runPart<T>(
  engine: Engine,
  tx: { isOpen: boolean; effects: (() => void)[] },
  work: () => Promise<T>,
): Promise<T> {
  const { sql } = engine;
  const count = tx.effects.length;
  sql.savePart.run();
  try {
    const value = await work();
    sql.releasePart.run();
    return value;
  } catch (error) {
    // SQLite itself may have rolled back the transaction, or it ended while the part still ran.
    if (tx.isOpen && isInTransaction(engine)) {
      sql.undoPart.run();
      sql.releasePart.run();
      tx.effects.length = count;
    }
    throw error;
  }
}
