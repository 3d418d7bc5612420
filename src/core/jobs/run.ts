import type { JobRow } from '../../models/jobs.ts';
import { withLimit } from '../../utils/async/abort.ts';
import { MINUTE_MS } from '../../utils/time/units.ts';
import type { Db } from '../db/db.ts';
import type { Log } from '../log.ts';
import type { JobDefinition } from './definition.ts';
import { failureOf, type Outcome, storeOutcome } from './outcome.ts';
import { type JobQueue, remainderOf } from './queue.ts';
import { type SetTimer, setUnrefTimer } from './wakes.ts';

export interface RunDeps {
  db: Pick<Db, 'write'>;
  queue: Pick<JobQueue, 'definitions' | 'payloadOf'>;
  log: Log;
  now(): Date;
  random?: (() => number) | undefined;
  setTimer?: SetTimer | undefined;
  /** Aborted when the server stops. */
  stopping: AbortSignal;
}

export const TIMEOUT_MS = MINUTE_MS;
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = MINUTE_MS;

/** Runs a job that was taken and stores the outcome. Never rejects. */
export async function runJob(deps: RunDeps, row: JobRow): Promise<void> {
  const outcome = await attempt(deps, row);
  // The work was done: until that is stored, the job must not start again in this process.
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, MAX_WAIT_MS)) {
    try {
      await deps.db.write((tx) => storeOutcome(tx, row, outcome));
      report(deps.log, row, outcome);
      return;
    } catch (error) {
      const { id, name: job } = row;
      deps.log.error('The end of a job could not be stored; trying again.', { job, id, error });
      if (!(await waited(deps, waitMs))) return;
    }
  }
}

async function attempt(deps: RunDeps, row: JobRow): Promise<Outcome> {
  const { queue, now, stopping } = deps;
  const definition = queue.definitions.get(row.name) as JobDefinition;
  const { timeoutMs = TIMEOUT_MS } = definition;
  const onTimeout = () => new Error(`The run took longer than ${timeoutMs / 1000} s`);
  try {
    const payload = await queue.payloadOf(row);
    await withLimit({ timeoutMs, onTimeout, parent: stopping }, async (signal) =>
      definition.run(payload, { attempt: row.attempts, signal, now }),
    );
    return { type: 'done' };
  } catch (error) {
    if (stopping.aborted) return { type: 'interrupted', due_at: now().toISOString() };
    return failure(deps, row, error);
  }
}

/** The outcome of a run that failed. */
export async function failure(
  { queue, now, random = Math.random }: Pick<RunDeps, 'queue' | 'now' | 'random'>,
  row: JobRow,
  error: unknown,
): Promise<Outcome> {
  const definition = queue.definitions.get(row.name);
  const remainder = await remainderOf(queue, definition, row);
  return failureOf(row, error, { definition, now: now(), random, remainder });
}

function report(log: Log, { id, name: job, attempts }: JobRow, outcome: Outcome): void {
  if (outcome.type === 'dead') {
    log.error('A job was given up.', { job, id, attempts, reason: outcome.last_error });
  } else if (outcome.type === 'failed') {
    const { due_at: next_attempt_at, last_error: reason } = outcome;
    log.warn('A job failed; it is retried.', { job, id, attempts, next_attempt_at, reason });
  }
}

/** Waits, and returns false if the server stops. */
function waited({ setTimer = setUnrefTimer, stopping }: RunDeps, delayMs: number) {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const stop = () => {
    cancel();
    resolve(false);
  };
  const cancel = setTimer(() => {
    stopping.removeEventListener('abort', stop);
    resolve(true);
  }, delayMs);
  if (stopping.aborted) stop();
  else stopping.addEventListener('abort', stop, { once: true });
  return promise;
}
