import type { Database } from 'bun:sqlite';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { turns } from '../utils/turns.ts';
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
 * Turns of the event loop between two groups: in them the callers of the last one are answered
 * and send what they send next, which then shares a commit instead of making one each.
 */
const GATHERING_TURNS = 3;

/**
 * Group commit on one connection: writers that arrive in the same turn of the event loop share
 * a transaction and its one fsync, each in its own savepoint. Nobody is answered before the
 * commit; one that throws takes back only its own work.
 */
export function createWriter(client: Database, orm: BunSQLiteDatabase): Writer {
  const engine: Engine = { client, orm, sql: prepareSteps(client) };
  const queue: Job[] = [];
  const stats = { commits: 0, writes: 0 };
  let running: Promise<void> | undefined;

  const run = async () => {
    await turns(1);
    while (queue.length > 0) {
      const written = await commitGroup(engine, queue);
      stats.commits += written > 0 ? 1 : 0;
      stats.writes += written;
      await turns(GATHERING_TURNS);
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

/** What a transaction is made of, prepared once: parsing it again costs as much as a row. */
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

interface Engine {
  client: Database;
  orm: BunSQLiteDatabase;
  sql: ReturnType<typeof prepareSteps>;
}

/** Gives how many writes were committed; their callers have been told, as have the others. */
async function commitGroup(engine: Engine, queue: Job[]): Promise<number> {
  const { client, sql } = engine;
  const done: Done[] = [];
  try {
    sql.begin.run();
  } catch (error) {
    for (const job of queue.splice(0)) job.reject(storageError(error));
    return 0;
  }
  try {
    for (let taken = 0; taken < MAX_GROUP && queue.length > 0; taken++) {
      await runJob(engine, queue.shift() as Job, done);
    }
    sql.commit.run();
  } catch (error) {
    if (client.inTransaction) sql.rollback.run();
    for (const job of done) job.reject(storageError(error));
    return 0;
  }
  for (const { effects } of done) for (const effect of effects) effect();
  for (const job of done) job.settle();
  return done.length;
}

/** Throws only when SQLite has given up the whole transaction (a full disk, a failed write). */
async function runJob({ client, orm, sql }: Engine, job: Job, done: Done[]): Promise<void> {
  sql.save.run();
  const tx = openTx(orm);
  try {
    const value = await job.work(tx);
    sql.release.run();
    done.push({ effects: tx.effects, settle: () => job.resolve(value), reject: job.reject });
  } catch (error) {
    job.reject(storageError(error));
    if (!client.inTransaction) throw error;
    sql.undo.run();
    sql.release.run();
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
