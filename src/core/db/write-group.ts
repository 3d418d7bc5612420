import type { Database } from 'bun:sqlite';
import { AppError } from '../exceptions.ts';
import type { Log } from '../log.ts';
import { isBusy, retryWhileBusy, waitForLock } from './busy.ts';
import { type StorageFault, storageError } from './storage-error.ts';
import {
  createEngine,
  discard,
  type Engine,
  isInTransaction,
  openTx,
  type Tx,
} from './transaction.ts';

export interface GroupOptions {
  log: Log;
  /** The directory of the database. */
  dir: string;
  /** Opens the connection, first and whenever it is broken. */
  connect(): Database;
  /** A write that waits longer for the lock fails with database_busy. */
  lockPatienceMs: number;
}

export interface QueuedWrite {
  /** Milliseconds of performance.now(). */
  expiresAt: number;
  work(tx: Tx): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface Groups {
  options: GroupOptions;
  engine: Engine;
  /** The reason if the last write failed. */
  fault: StorageFault | undefined;
}

interface Done {
  effects: (() => void)[];
  settle(): void;
  reject(error: unknown): void;
}

/**
 * The most writes per transaction, so that a burst gets its first responses before all of it is
 * written.
 */
export const MAX_GROUP = 128;

export function openGroups(options: GroupOptions): Groups {
  return { options, engine: createEngine(options.connect()), fault: undefined };
}

/**
 * Commits the first writes of the queue together, settles their callers and returns the number of
 * successful writes. Does not throw: a broken connection is opened again.
 */
export async function commitGroup(groups: Groups, queue: QueuedWrite[]): Promise<number> {
  if (!(await begin(groups, queue))) return 0;
  const { engine, options } = groups;
  const done: Done[] = [];
  try {
    for (let taken = 0; taken < MAX_GROUP && queue.length > 0; taken++) {
      await runWrite(groups, queue.shift() as QueuedWrite, done);
    }
    await commit(engine, options.lockPatienceMs);
  } catch (error) {
    const reason = lost(groups, error);
    for (const write of done) write.reject(reason);
    mend(groups);
    return 0;
  }
  if (done.length > 0) groups.fault = undefined;
  for (const { effects } of done) for (const effect of effects) runEffect(effect, options.log);
  for (const write of done) write.settle();
  return done.length;
}

/**
 * Takes the write lock and returns true. Rejects writes that expire while another process holds
 * it. Returns false if no write is left, or if SQLite fails even after a repair.
 */
async function begin(groups: Groups, queue: QueuedWrite[]): Promise<boolean> {
  let isMended = false;
  for (let attempt = 0; queue.length > 0; attempt++) {
    try {
      groups.engine.sql.begin.run();
      // Statements outlive a closed connection.
      if (!isInTransaction(groups.engine)) throw new Error('The connection is closed.');
      return true;
    } catch (error) {
      if (isBusy(error)) {
        refuseLate(queue, error);
        if (queue.length > 0) await waitForLock(attempt);
      } else if (isMended || !mend(groups)) {
        const reason = lost(groups, error);
        for (const write of queue.splice(0)) write.reject(reason);
      } else {
        isMended = true;
      }
    }
  }
  return false;
}

function refuseLate(queue: QueuedWrite[], error: unknown): void {
  const now = performance.now();
  while (queue[0] && queue[0].expiresAt <= now) queue.shift()?.reject(storageError(error));
}

async function commit({ sql }: Engine, patienceMs: number): Promise<void> {
  try {
    sql.commit.run();
  } catch (error) {
    await retryWhileBusy(error, () => sql.commit.run(), patienceMs);
  }
}

/** Throws only if the whole transaction is lost: full disk, failed write, dead connection. */
async function runWrite(groups: Groups, write: QueuedWrite, done: Done[]): Promise<void> {
  const { sql } = groups.engine;
  const tx = openTx(groups.engine);
  try {
    sql.save.run();
    const value = await write.work(tx);
    sql.release.run();
    done.push({ effects: tx.effects, settle: () => write.resolve(value), reject: write.reject });
  } catch (error) {
    if (!isInTransaction(groups.engine)) {
      write.reject(lost(groups, error));
      throw error;
    }
    write.reject(noted(groups, error));
    sql.undo.run();
    sql.release.run();
  } finally {
    tx.isOpen = false;
  }
}

/** Rolls back an open transaction. Returns false if the connection is broken and cannot be replaced. */
function mend(groups: Groups): boolean {
  const { engine, options } = groups;
  try {
    if (engine.client.inTransaction) engine.sql.rollback.run();
    return true;
  } catch (error) {
    options.log.error('The database connection is broken; opening it again.', { error });
    return reopen(groups);
  }
}

function reopen(groups: Groups): boolean {
  try {
    discard(groups.engine);
    groups.engine = createEngine(groups.options.connect());
    return true;
  } catch (error) {
    groups.options.log.error('The database cannot be opened.', { error });
    groups.fault = 'storage_failed';
    return false;
  }
}

/** The error for the caller of a write. Records a fault of the file. */
function noted(groups: Groups, error: unknown): unknown {
  const reason = storageError(error, groups.options.dir);
  if (!(reason instanceof AppError)) return reason;
  const { code } = reason;
  if (code === 'storage_full' || code === 'storage_failed') groups.fault = code;
  return reason;
}

/** The error for the callers of a lost transaction: always a fault of the file. */
function lost(groups: Groups, error: unknown): unknown {
  const reason = noted(groups, error);
  if (reason instanceof AppError) return reason;
  groups.fault = 'storage_failed';
  return new AppError('storage_failed', 'The database cannot be written', { cause: error });
}

function runEffect(effect: () => void, log: Log): void {
  try {
    effect();
  } catch (error) {
    log.error('An effect of a commit failed; the commit itself is stored.', { error });
  }
}
