import { and, asc, eq, isNotNull } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import type { JobQueue } from '../../core/jobs/queue.ts';
import type { Job } from '../../core/jobs/recurring.ts';
import type { Log } from '../../core/log.ts';
import { type SourceRow, sources } from '../../models/sources.ts';
import { MINUTE_MS } from '../../utils/time/units.ts';
import type { SourceCalls } from './calls.ts';
import { sourceOf } from './definition.ts';
import { callFailure } from './errors.ts';

export interface SourceRefreshDeps {
  db: Db;
  log: Log;
  queue: Pick<JobQueue, 'define'>;
  calls: Pick<SourceCalls, 'refresh'>;
  now(): Date;
  /** Returns a number from 0 to below 1. */
  random?: () => number;
}

/** A refresh starts at most twice this late, including the jitter. */
const EVERY_MS = 5_000;
/** Sources that are refreshed at once. */
const CONCURRENCY = 20;
/** Longest refresh of one source, with all sets of parameters. */
const TIMEOUT_MS = 15 * MINUTE_MS;

/**
 * A recurring job that queues the refresh of each source whose cron expression has matched since the
 * last one.
 */
export function createSourceRefresh(deps: SourceRefreshDeps): Job {
  const { db, queue, now, random = Math.random } = deps;
  /** The last start by source id. It is in memory, as the cache is: a restart refreshes all. */
  const lastStart = new Map<number, Date>();
  const enqueue = queue.define<number>({
    name: 'source-refresh',
    run: (id, { signal }) => refresh(deps, id, signal),
    concurrency: CONCURRENCY,
    timeoutMs: TIMEOUT_MS,
  });
  return {
    name: 'source refresh',
    everyMs: EVERY_MS,
    run: async () => {
      const time = now();
      const rows = await refreshedSources(db);
      const due = rows.filter((row) => isDue(row, lastStart.get(row.id), time));
      if (due.length === 0) return false;
      await db.write(async (tx) => {
        for (const { id } of due) {
          // Jitter spreads sources that are due at the same time.
          const at = new Date(time.getTime() + random() * EVERY_MS);
          await enqueue(tx, id, { at, key: String(id) });
        }
      });
      for (const { id } of due) lastStart.set(id, time);
      return false;
    },
  };
}

function refreshedSources({ read }: Db, id?: number): Promise<SourceRow[]> {
  const isAsked = id === undefined ? undefined : eq(sources.id, id);
  return read.orm
    .select()
    .from(sources)
    .where(and(isAsked, isNotNull(sources.refresh), eq(sources.is_enabled, true)))
    .orderBy(asc(sources.id))
    .execute();
}

/** True if the cron expression, in UTC, matched a time since the last start. */
function isDue({ refresh }: SourceRow, last: Date | undefined, now: Date): boolean {
  // A time before the last start means that the clock was set back.
  if (refresh === null || last === undefined || now < last) return refresh !== null;
  const next = Bun.cron.parse(refresh, last, { tz: 'UTC' });
  return next !== null && next <= now;
}

/** Refreshes one set of parameters after another. A call that fails is logged and not retried. */
async function refresh(
  { db, calls, log }: SourceRefreshDeps,
  id: number,
  signal: AbortSignal,
): Promise<void> {
  const [row] = await refreshedSources(db, id);
  if (!row) return;
  for (const parameters of sourceOf(row).refresh_parameters) {
    await calls.refresh(row, parameters, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      const { code, message: reason } = callFailure(row.name, error);
      log.warn('A source could not be refreshed.', { source: row.name, code, reason });
    });
  }
}
