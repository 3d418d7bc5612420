import type { JobRow } from '../../models/jobs.ts';
import { jitteredDelayMs } from '../../utils/time/backoff.ts';
import { DAY_MS, HOUR_MS } from '../../utils/time/units.ts';
import type { Tx } from '../db/writer.ts';
import { type JobDefinition, JobError } from './definition.ts';
import { deleteHeld, giveUp, waitAgain, waitingByKey } from './rows.ts';

const MAX_ATTEMPTS = 10;
const BASE_MS = 15_000;
const MAX_ERROR = 500;
/** The longest wait before a retry. */
const MAX_WAIT_MS = 30 * DAY_MS;

/** The end of a run. An interrupted one is repeated without counting as an attempt. */
export type Outcome =
  | { type: 'done' }
  | { type: 'interrupted'; due_at: string }
  | { type: 'failed'; due_at: string; last_error: string }
  | { type: 'dead'; due_at: string; last_error: string; payload: string };

export interface FailureOptions {
  definition: JobDefinition | undefined;
  now: Date;
  random(): number;
  /** The payload that a dead letter stores. */
  remainder: string;
}

/** Decides what follows a failed attempt: another one later, or a dead letter. */
export function failureOf(
  { attempts }: Pick<JobRow, 'attempts'>,
  error: unknown,
  { definition, now, random, remainder }: FailureOptions,
): Outcome {
  const { maxAttempts = MAX_ATTEMPTS, backoffMs = defaultBackoffMs } = definition ?? {};
  const { isFinal, retryAfterMs } = error instanceof JobError ? error : new JobError('');
  const last_error = (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR);
  if (isFinal || attempts >= maxAttempts) {
    return { type: 'dead', due_at: now.toISOString(), last_error, payload: remainder };
  }
  const waitMs = boundedWait(Math.max(retryAfterMs, backoffMs(attempts, random)));
  return { type: 'failed', due_at: new Date(now.getTime() + waitMs).toISOString(), last_error };
}

/** Stores the outcome of a run. Does nothing if another process has taken the job meanwhile. */
export async function storeOutcome(tx: Tx, row: JobRow, outcome: Outcome): Promise<void> {
  const { id, holder, attempts } = row;
  const held = { id, holder, attempts };
  if (outcome.type === 'done') return void (await deleteHeld(tx, held));
  if (outcome.type === 'dead') {
    const { due_at, last_error, payload } = outcome;
    return void (await giveUp(tx, { ...held, due_at, last_error, payload }));
  }
  // A job with the same key that was queued meanwhile does the work of this one.
  if (await isReplaced(tx, row)) return void (await deleteHeld(tx, held));
  const isCounted = outcome.type === 'failed';
  await waitAgain(tx, {
    ...held,
    due_at: outcome.due_at,
    started: isCounted ? attempts : attempts - 1,
    last_error: isCounted ? outcome.last_error : row.last_error,
  });
}

async function isReplaced(tx: Tx, { name, key }: JobRow): Promise<boolean> {
  return key !== null && (await waitingByKey(tx, { name, key })).length > 0;
}

/** A wait that no mistake of a job makes endless. */
function boundedWait(ms: number): number {
  return Number.isNaN(ms) ? MAX_WAIT_MS : Math.min(Math.max(ms, 0), MAX_WAIT_MS);
}

function defaultBackoffMs(failures: number, random: () => number): number {
  return jitteredDelayMs({ retry: failures - 1, baseMs: BASE_MS, maxMs: HOUR_MS, random });
}
