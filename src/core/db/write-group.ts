import type { Database } from 'bun:sqlite';
import { AppError } from '../exceptions.ts';
import type { Log } from '../log.ts';
import { isBusy, retryWhileBusy, waitForLock } from './busy.ts';
import { storageError } from './storage-error.ts';
import { createEngine, discard, type Engine, isInTransaction, openTx } from './write-engine.ts';
import type { StorageFault, Tx } from './writer.ts';

export interface GroupOptions {
  log: Log;
  /** Where the database is. */
  dir: string;
  /** Opens the connection, at first and again when it is broken. */
  connect(): Database;
  /** A write that does not get the lock for so long is refused with database_busy. */
  lockPatienceMs: number;
}

export interface Job {
  /** By performance.now(). */
  expiresAt: number;
  work(tx: Tx): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface Groups {
  options: GroupOptions;
  engine: Engine;
  /** Why the file could not be written the last time. */
  fault: StorageFault | undefined;
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
export const MAX_GROUP = 128;

export function openGroups(options: GroupOptions): Groups {
  return { options, engine: createEngine(options.connect()), fault: undefined };
}

/**
 * Commits the first of the queue together and returns how many were written; their callers have
 * been told, as have the others. Does not throw: a connection that is broken is opened again.
 */
export async function commitGroup(groups: Groups, queue: Job[]): Promise<number> {
  if (!(await begin(groups, queue))) return 0;
  const { engine, options } = groups;
  const done: Done[] = [];
  try {
    for (let taken = 0; taken < MAX_GROUP && queue.length > 0; taken++) {
      await runJob(groups, queue.shift() as Job, done);
    }
    await commit(engine, options.lockPatienceMs);
  } catch (error) {
    const reason = lost(groups, error);
    for (const job of done) job.reject(reason);
    mend(groups);
    return 0;
  }
  if (done.length > 0) groups.fault = undefined;
  for (const { effects } of done) for (const effect of effects) runEffect(effect, options.log);
  for (const job of done) job.settle();
  return done.length;
}

/**
 * Takes the write lock. Those whose time is over while another process holds it are refused;
 * false when nobody is left, and when SQLite refuses for another reason, also after a repair.
 */
async function begin(groups: Groups, queue: Job[]): Promise<boolean> {
  let isMended = false;
  for (let attempt = 0; queue.length > 0; attempt++) {
    try {
      groups.engine.sql.begin.run();
      // The statements of a connection outlive it when it is closed.
      if (!isInTransaction(groups.engine)) throw new Error('The connection is closed.');
      return true;
    } catch (error) {
      if (isBusy(error)) {
        refuseLate(queue, error);
        if (queue.length > 0) await waitForLock(attempt);
      } else if (isMended || !mend(groups)) {
        const reason = lost(groups, error);
        for (const job of queue.splice(0)) job.reject(reason);
      } else {
        isMended = true;
      }
    }
  }
  return false;
}

function refuseLate(queue: Job[], error: unknown): void {
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

/** Throws only when the whole transaction is lost: a full disk, a failed write, a dead connection. */
async function runJob(groups: Groups, job: Job, done: Done[]): Promise<void> {
  const { orm, sql } = groups.engine;
  const tx = openTx(orm);
  try {
    sql.save.run();
    const value = await job.work(tx);
    sql.release.run();
    done.push({ effects: tx.effects, settle: () => job.resolve(value), reject: job.reject });
  } catch (error) {
    if (!isInTransaction(groups.engine)) {
      job.reject(lost(groups, error));
      throw error;
    }
    job.reject(noted(groups, error));
    sql.undo.run();
    sql.release.run();
  } finally {
    tx.isOpen = false;
  }
}

/** Ends what is left of a transaction. False when the connection is broken and another cannot be opened. */
function mend(groups: Groups): boolean {
  const { engine, options } = groups;
  try {
    if (engine.client.inTransaction) engine.sql.rollback.run();
    return true;
  } catch (error) {
    options.log.error('The connection to the database is broken and is opened again.', { error });
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

/** The error of a job, as its caller is told it; a fault of the file is kept. */
function noted(groups: Groups, error: unknown): unknown {
  const reason = storageError(error, groups.options.dir);
  if (!(reason instanceof AppError)) return reason;
  const { code } = reason;
  if (code === 'storage_full' || code === 'storage_failed') groups.fault = code;
  return reason;
}

/** The error of a transaction that is lost as a whole: always a fault of the file. */
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
    log.error('What follows a commit failed; the commit holds.', { error });
  }
}
