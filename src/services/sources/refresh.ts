import { and, asc, eq, isNotNull } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import type { Log } from '../../core/log.ts';
import { type SourceRow, sources } from '../../models/sources.ts';
import { sleep } from '../../utils/async/abort.ts';
import type { Job } from '../jobs.ts';
import type { SourceCalls } from './calls.ts';
import { sourceOf } from './definition.ts';
import { callFailure } from './errors.ts';

export interface SourceRefreshDeps {
  db: Db;
  log: Log;
  calls: Pick<SourceCalls, 'refresh'>;
  now(): Date;
  /** Returns a number from 0 to below 1. */
  random?: () => number;
}

/** Refreshes cached responses by the cron expression of each source. */
export interface SourceRefresh {
  /** Starts the refreshes that are due, without waiting for them. */
  job: Job;
  /** Waits for the refreshes that are running. */
  idle(): Promise<void>;
  /** Aborts the refreshes that are running and starts no more. */
  stop(): Promise<void>;
}

/** A refresh starts at most twice this late, including the jitter. */
const EVERY_MS = 5_000;

export function createSourceRefresh(deps: SourceRefreshDeps): SourceRefresh {
  const { db, now, random = Math.random } = deps;
  const stopping = new AbortController();
  /** The last start by source id. It is in memory, as the cache is: a restart refreshes all. */
  const lastStart = new Map<number, Date>();
  const running = new Map<number, Promise<void>>();

  const start = (row: SourceRow) => {
    lastStart.set(row.id, now());
    // Jitter spreads sources that are due at the same time.
    const delayMs = random() * EVERY_MS;
    const work = refresh(deps, row, delayMs, stopping.signal);
    running.set(
      row.id,
      work.finally(() => running.delete(row.id)),
    );
  };
  const idle = async () => void (await Promise.all(running.values()));
  return {
    job: {
      name: 'source refresh',
      everyMs: EVERY_MS,
      run: async () => {
        const rows = await refreshedSources(db);
        for (const row of rows) {
          const canStart = !running.has(row.id) && !stopping.signal.aborted;
          if (canStart && isDue(row, lastStart.get(row.id), now())) start(row);
        }
        return false;
      },
    },
    idle,
    stop: async () => {
      stopping.abort();
      await idle();
    },
  };
}

function refreshedSources({ read }: Db): Promise<SourceRow[]> {
  return read.orm
    .select()
    .from(sources)
    .where(and(isNotNull(sources.refresh), eq(sources.is_enabled, true)))
    .orderBy(asc(sources.id));
}

/** True if the cron expression, in UTC, matched a time since the last start. */
function isDue({ refresh }: SourceRow, last: Date | undefined, now: Date): boolean {
  // A time before the last start means that the clock was set back.
  if (refresh === null || last === undefined || now < last) return refresh !== null;
  const next = Bun.cron.parse(refresh, last, { tz: 'UTC' });
  return next !== null && next <= now;
}

/** Refreshes one set of parameters after another. Never rejects: a failure is logged. */
async function refresh(
  { calls, log }: SourceRefreshDeps,
  row: SourceRow,
  delayMs: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await sleep(delayMs, signal);
    for (const parameters of sourceOf(row).refresh_parameters) {
      await calls.refresh(row, parameters, signal).catch((error: unknown) => {
        if (signal.aborted) throw error;
        const { code, message: reason } = callFailure(row.name, error);
        log.warn('A source could not be refreshed.', { source: row.name, code, reason });
      });
    }
  } catch (error) {
    if (!signal.aborted) log.error('A refresh failed.', { source: row.name, error });
  }
}
