import type { Database } from 'bun:sqlite';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { storageError } from './storage-error.ts';

/** Work of one writer inside a transaction: seen by others only after the commit. */
export interface Tx {
  /** Drizzle on the writer connection; throws once the writer's work has ended. */
  readonly orm: BunSQLiteDatabase;
  /** Runs `effect` right after the commit, and never if it did not happen. Must not throw. */
  afterCommit(effect: () => void): void;
}

export interface WriterStats {
  commits: number;
  writes: number;
  queued: number;
}

export interface Writer {
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Resolves when nothing is queued any more. */
  idle(): Promise<void>;
  stats(): WriterStats;
}

interface Job {
  work(tx: Tx): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Done {
  effects: (() => void)[];
  settle(): void;
  reject(error: unknown): void;
}

/**
 * One transaction at most holds this many writers, so that the last of a burst does not wait
 * for all of it to be written before any of it is answered.
 */
const MAX_GROUP = 128;

/**
 * Group commit on one connection: writers that arrive in the same turn of the event loop share
 * a transaction and its one fsync, each in its own savepoint. Nobody is answered before the
 * commit; one that throws takes back only its own work.
 */
export function createWriter(client: Database, orm: BunSQLiteDatabase): Writer {
  const queue: Job[] = [];
  const stats = { commits: 0, writes: 0 };
  let running: Promise<void> | undefined;

  const run = async () => {
    await nextTurn();
    while (queue.length > 0) {
      await commitGroup(client, orm, queue, stats);
      await nextTurn();
    }
    running = undefined;
  };
  const write = <T>(work: (tx: Tx) => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      running ??= run();
    });
  return {
    write,
    idle: async () => {
      while (running) await running;
    },
    stats: () => ({ ...stats, queued: queue.length }),
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function commitGroup(
  client: Database,
  orm: BunSQLiteDatabase,
  queue: Job[],
  stats: { commits: number; writes: number },
): Promise<void> {
  const done: Done[] = [];
  try {
    client.run('BEGIN IMMEDIATE');
  } catch (error) {
    for (const job of queue.splice(0)) job.reject(storageError(error));
    return;
  }
  try {
    for (let taken = 0; taken < MAX_GROUP && queue.length > 0; taken++) {
      await runJob(client, orm, queue.shift() as Job, done);
    }
    client.run('COMMIT');
  } catch (error) {
    if (client.inTransaction) client.run('ROLLBACK');
    for (const job of done) job.reject(storageError(error));
    return;
  }
  stats.commits++;
  stats.writes += done.length;
  for (const { effects } of done) for (const effect of effects) effect();
  for (const job of done) job.settle();
}

/** Throws only when SQLite has given up the whole transaction (a full disk, a failed write). */
async function runJob(
  client: Database,
  orm: BunSQLiteDatabase,
  job: Job,
  done: Done[],
): Promise<void> {
  client.run('SAVEPOINT job');
  const tx = openTx(orm);
  try {
    const value = await job.work(tx);
    client.run('RELEASE job');
    done.push({ effects: tx.effects, settle: () => job.resolve(value), reject: job.reject });
  } catch (error) {
    job.reject(storageError(error));
    if (!client.inTransaction) throw error;
    client.run('ROLLBACK TO job');
    client.run('RELEASE job');
  } finally {
    tx.isOpen = false;
  }
}

function openTx(orm: BunSQLiteDatabase): Tx & { isOpen: boolean; effects: (() => void)[] } {
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
