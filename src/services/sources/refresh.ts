import { and, asc, eq, isNotNull } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import type { Log } from '../../core/log.ts';
import { type SourceRow, sources } from '../../models/index.ts';
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
  /** From 0 up to 1. */
  random?: () => number;
}

/** Keeps the answers of sources warm, by the cron expression of each. */
export interface SourceRefresh {
  /** Begins what is due and waits for none of it. */
  job: Job;
  /** Waits for what is under way. */
  idle(): Promise<void>;
  /** Breaks off what is under way, begins nothing more. */
  stop(): Promise<void>;
}

/** How late a refresh may begin: twice this, with the jitter. */
const EVERY_MS = 5_000;

export function createSourceRefresh(deps: SourceRefreshDeps): SourceRefresh {
  const { db, now, random = Math.random } = deps;
  const stopping = new AbortController();
  /** By id, when a source was last begun; what is kept is in memory, so a start warms it all. */
  const begun = new Map<number, Date>();
  const running = new Map<number, Promise<void>>();

  const begin = (row: SourceRow) => {
    begun.set(row.id, now());
    // Not all sources of a full hour at once.
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
          const isFree = !running.has(row.id) && !stopping.signal.aborted;
          if (isFree && isDue(row, begun.get(row.id), now())) begin(row);
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

/** Whether a time of its cron expression has come since it was begun; in UTC. */
function isDue({ refresh }: SourceRow, last: Date | undefined, now: Date): boolean {
  // Before its last refresh: the clock was put back.
  if (refresh === null || last === undefined || now < last) return refresh !== null;
  const next = Bun.cron.parse(refresh, last, { tz: 'UTC' });
  return next !== null && next <= now;
}

/** One set of parameters after another. Never rejects: the next time is tried for itself. */
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
        log.warn('A source could not be kept warm.', { source: row.name, code, reason });
      });
    }
  } catch (error) {
    if (!signal.aborted) log.error('A refresh failed.', { source: row.name, error });
  }
}
