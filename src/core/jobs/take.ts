import type { JobRow } from '../../models/jobs.ts';
import type { Tx } from '../db/writer.ts';
import type { JobDefinition } from './definition.ts';
import { type Outcome, storeOutcome } from './outcome.ts';
import { countRunning, takeDue } from './rows.ts';
import { failure, type RunDeps, TIMEOUT_MS } from './run.ts';

/** A job whose process has ended, with what follows. */
export interface Lost {
  row: JobRow;
  outcome: Outcome;
}

/** A job of which some may be due. */
export interface Candidate {
  definition: JobDefinition;
  /** The number of them that this process may still start. */
  free: number;
  lost: readonly Lost[];
}

export interface Taking {
  /** Names this process. */
  holder: string;
  now: Date;
}

export const CONCURRENCY = 5;
/** A lease outlives the time limit of a run, so that the outcome is stored before it ends. */
const LEASE_MARGIN_MS = 30_000;

/** Takes due jobs for this process until their leases end. */
export async function takeJobs(
  tx: Tx,
  candidates: readonly Candidate[],
  { holder, now }: Taking,
): Promise<JobRow[]> {
  const taken: JobRow[] = [];
  for (const { definition, free, lost } of candidates) {
    await storeLost(tx, lost);
    const { name, timeoutMs = TIMEOUT_MS } = definition;
    const limit = Math.min(free, await freeOfAll(tx, definition));
    if (limit <= 0) continue;
    const lease_until = new Date(now.getTime() + timeoutMs + LEASE_MARGIN_MS).toISOString();
    const due = { name, now: now.toISOString(), limit, holder, lease_until };
    taken.push(...(await takeDue(tx, due)));
  }
  return taken;
}

/** Returns what follows for jobs whose process has ended: they are due at once, or given up. */
export async function lostOf(
  deps: Pick<RunDeps, 'queue' | 'now' | 'random'>,
  rows: readonly JobRow[],
): Promise<Lost[]> {
  const due_at = deps.now().toISOString();
  const lost: Lost[] = [];
  for (const row of rows) {
    const outcome = await failure(deps, row, new Error('The process ended during the run'));
    lost.push({ row, outcome: { ...outcome, due_at } as Outcome });
  }
  return lost;
}

export async function storeLost(tx: Tx, lost: readonly Lost[]): Promise<void> {
  for (const { row, outcome } of lost) await storeOutcome(tx, row, outcome);
}

async function freeOfAll(tx: Tx, { name, concurrency = CONCURRENCY }: JobDefinition) {
  const [running] = await countRunning(tx, { name });
  return concurrency - (running?.count ?? 0);
}
