import type { Database } from 'bun:sqlite';
import { nextTurn, turns } from '../../utils/async/event-loop.ts';
import type { StorageFault } from './storage-error.ts';
import type { Tx } from './transaction.ts';
import {
  commitGroup,
  type GroupOptions,
  MAX_GROUP,
  openGroups,
  type QueuedWrite,
} from './write-group.ts';

export type { Tx } from './transaction.ts';

export interface WriterStats {
  commits: number;
  writes: number;
  queued: number;
}

export interface Writer {
  /** The connection; a broken one is replaced. */
  readonly client: Database;
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs `step` between two transactions. Must not throw. */
  between(step: () => void): void;
  /** The reason if the last write failed, else undefined. */
  fault(): StorageFault | undefined;
  /** Resolves when the queue is empty. */
  idle(): Promise<void>;
  stats(): WriterStats;
}

export interface WriterOptions extends GroupOptions {
  /** Runs after each commit, outside of any transaction. Must not throw. */
  onCommit(): void;
  /** The time that the lock stays free between two transactions. */
  pauseMs: number;
}

/**
 * Turns of the event loop between two groups. During these the callers of the last group receive
 * their responses and send further writes, which then share a commit. Under load one turn is long
 * enough.
 */
const GATHERING_TURNS = 3;
const GATHERING_MS = 2;
/** Full groups follow each other for up to this long before other work gets a turn. */
const MAX_WORK_MS = 15;

/**
 * Group commit on one connection: writes that arrive in the same turn of the event loop share a
 * transaction and its one fsync, each in its own savepoint. None resolves before the commit; one
 * that throws undoes only its own work. A timer waits for locks of other processes, in queue
 * order.
 */
export function createWriter(options: WriterOptions): Writer {
  const { lockPatienceMs, onCommit, pauseMs } = options;
  const queue: QueuedWrite[] = [];
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
