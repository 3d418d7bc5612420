import type { Database } from 'bun:sqlite';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { nextTurn, turns } from '../../utils/async/event-loop.ts';
import { commitGroup, type GroupOptions, type Job, MAX_GROUP, openGroups } from './write-group.ts';

/** Work of one writer inside a transaction: seen by others only after the commit. */
export interface Tx {
  /** Drizzle on the writer connection; throws once the writer's work has ended. */
  readonly orm: BunSQLiteDatabase;
  /** Runs `effect` right after the commit, and never if it did not happen. */
  afterCommit(effect: () => void): void;
}

export interface WriterStats {
  commits: number;
  writes: number;
  queued: number;
}

export type StorageFault = 'storage_full' | 'storage_failed';

export interface Writer {
  /** The connection, which is another one after a failure that it does not survive. */
  readonly client: Database;
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs `step` between two transactions. Must not throw. */
  between(step: () => void): void;
  /** Why the file could not be written the last time; undefined when it could. */
  fault(): StorageFault | undefined;
  /** Resolves when nothing is queued any more. */
  idle(): Promise<void>;
  stats(): WriterStats;
}

export interface WriterOptions extends GroupOptions {
  /** Runs after each commit, outside of any transaction. Must not throw. */
  onCommit(): void;
  /** The lock is left free for so long between two transactions. */
  pauseMs: number;
}

/**
 * Turns of the event loop between two groups: in them the callers of the last one are answered
 * and send what they send next, which then shares a commit instead of making one each. Under load
 * one turn is long, and enough.
 */
const GATHERING_TURNS = 3;
const GATHERING_MS = 2;
/** Full groups need not gather, and follow each other for so long before others get a turn. */
const MAX_WORK_MS = 15;

/**
 * Group commit on one connection: writers that arrive in the same turn of the event loop share
 * a transaction and its one fsync, each in its own savepoint. Nobody is answered before the
 * commit; one that throws takes back only its own work. Locks of other processes are waited for
 * by a timer, in the order of the queue.
 */
export function createWriter(options: WriterOptions): Writer {
  const { lockPatienceMs, onCommit, pauseMs } = options;
  const queue: Job[] = [];
  const steps: (() => void)[] = [];
  const stats = { commits: 0, writes: 0 };
  const groups = openGroups(options);
  let running: Promise<void> | undefined;

  const run = async () => {
    await nextTurn();
    let workingSince = performance.now();
    while (queue.length + steps.length > 0) {
      for (const step of steps.splice(0)) step();
      const written = await commitGroup(groups, queue);
      if (written > 0) {
        stats.commits++;
        stats.writes += written;
        onCommit();
      }
      if (queue.length < MAX_GROUP || performance.now() - workingSince > MAX_WORK_MS) {
        await turns(GATHERING_TURNS, GATHERING_MS);
        workingSince = performance.now();
      }
      if (written > 0 && pauseMs > 0) await Bun.sleep(pauseMs);
    }
    running = undefined;
  };
  const start = () => {
    running ??= run();
  };
  return {
    get client() {
      return groups.engine.client;
    },
    write: <T>(work: (tx: Tx) => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        const expiresAt = performance.now() + lockPatienceMs;
        queue.push({ expiresAt, work, resolve: resolve as (value: unknown) => void, reject });
        start();
      }),
    between: (step) => {
      steps.push(step);
      start();
    },
    fault: () => groups.fault,
    idle: async () => {
      while (running) await running;
    },
    stats: () => ({ ...stats, queued: queue.length }),
  };
}
