import { and, asc, eq, gte, inArray, lt } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { type Job, runSteps } from '../../core/jobs/recurring.ts';
import type { Log } from '../../core/log.ts';
import { type SourceCalls, sourceCalls, sources } from '../../models/sources.ts';
import { createFlusher } from '../../utils/async/flusher.ts';
import { addTo, bucketOf, type Histogram, percentileMs } from '../../utils/histogram.ts';
import { HOUR_MS, hourOf } from '../../utils/time/units.ts';
import { requireAdmin } from '../admins-only.ts';
import { getSource } from './definition.ts';

export interface SourceStatsDeps {
  db: Db;
  log: Log;
  now(): Date;
}

/** The outcome of one call. */
export interface CallOutcome {
  /** Origin of the response; undefined for a failure. */
  cache?: 'hit' | 'miss' | 'stale' | 'revalidated' | 'off' | undefined;
  /** Code of a failure. */
  error?: string | undefined;
  elapsedMs: number;
}

/** Counts of calls as they are reported; a percentile of no calls is null. */
export interface CallCounts {
  count: number;
  errors: Record<string, number>;
  cache: { hit: number; miss: number; stale: number; revalidated: number };
  latency_ms: Record<'p50' | 'p90' | 'p99' | 'max', number | null>;
}

/** The totals of the last hours, and the counts of each of them that had calls. */
export type SourceStatsReport = CallCounts & { hours: (CallCounts & { hour: string })[] };

export type SourceStats = ReturnType<typeof createSourceStats>;

/** Calls of one source in one hour, as they are added up. */
interface Tally {
  count: number;
  cache: CallCounts['cache'];
  maxMs: number;
  latency: Histogram;
  errors: Record<string, number>;
}

/** The longest time for which a count is only in memory. */
const MAX_DELAY_MS = 3_000;
const RETENTION_HOURS = 30 * 24;
/** Rows deleted in one statement. */
const BATCH = 500;

/** Counts calls in memory and writes them together: a call costs no write. */
export function createSourceStats(deps: SourceStatsDeps) {
  const { db, log, now } = deps;
  let pending = new Map<string, Tally>();
  const { flush, flushLater } = createFlusher({
    write: async () => {
      if (pending.size === 0) return;
      const taken = pending;
      pending = new Map();
      try {
        await db.write((tx) => writeAll(tx, taken));
      } catch (error) {
        for (const [key, tally] of taken) pending.set(key, sumOf(tally, pending.get(key)));
        throw error;
      }
    },
    maxDelayMs: MAX_DELAY_MS,
    onError: (error) =>
      log.error('Counts of source calls could not be stored; they stay pending.', { error }),
  });
  return {
    /** Counts a call that has just ended. */
    add: (sourceId: number, outcome: CallOutcome): void => {
      const key = `${sourceId} ${hourOf(now())}`;
      const tally = pending.get(key) ?? emptyTally();
      countCall(tally, outcome);
      pending.set(key, tally);
      flushLater();
    },

    /** Stores all pending counts. Counts that cannot be stored stay pending. */
    flush,

    /**
     * The counts of the current hour and the hours before it, `hours` in all. Throws forbidden
     * unless the caller is an admin, and not_found.
     */
    report: async (actor: Actor, name: string, hours: number): Promise<SourceStatsReport> => {
      requireAdmin(actor);
      const { id } = await getSource(db.read, name);
      await flush();
      return reportOf(db, id, hourOf(now()) - hours + 1);
    },

    /** Deletes counts that are older than 30 days. */
    purge: createPurge(deps),
  };
}

function createPurge({ db, now }: Pick<SourceStatsDeps, 'db' | 'now'>): Job {
  return {
    name: 'source calls purge',
    everyMs: HOUR_MS,
    run: () =>
      runSteps(db, async ({ orm }) => {
        const [oldest] = await orm
          .select({ hour: sourceCalls.hour })
          .from(sourceCalls)
          .where(lt(sourceCalls.hour, hourOf(now()) - RETENTION_HOURS))
          .orderBy(asc(sourceCalls.hour))
          .limit(1);
        if (!oldest) return false;
        const isOldest = eq(sourceCalls.hour, oldest.hour);
        const due = orm.select({ id: sourceCalls.source_id }).from(sourceCalls).where(isOldest);
        const isDue = and(isOldest, inArray(sourceCalls.source_id, due.limit(BATCH)));
        await orm.delete(sourceCalls).where(isDue);
        return true;
      }),
  };
}

async function writeAll(tx: Tx, tallies: Map<string, Tally>): Promise<void> {
  for (const [key, tally] of tallies) {
    const [source_id = 0, hour = 0] = key.split(' ').map(Number);
    const isSource = eq(sources.id, source_id);
    const [source] = await tx.orm.select({ id: sources.id }).from(sources).where(isSource);
    // The source was deleted: its counts are dropped.
    if (!source) continue;
    const isSameHour = and(eq(sourceCalls.source_id, source_id), eq(sourceCalls.hour, hour));
    const [row] = await tx.orm.select().from(sourceCalls).where(isSameHour);
    const columns = columnsOf(sumOf(tally, row && tallyOf(row)));
    await tx.orm
      .insert(sourceCalls)
      .values({ source_id, hour, ...columns })
      .onConflictDoUpdate({ target: [sourceCalls.source_id, sourceCalls.hour], set: columns });
  }
}

async function reportOf({ read }: Db, id: number, from: number): Promise<SourceStatsReport> {
  const rows = await read.orm
    .select()
    .from(sourceCalls)
    .where(and(eq(sourceCalls.source_id, id), gte(sourceCalls.hour, from)))
    .orderBy(asc(sourceCalls.hour));
  const tallies = rows.map(tallyOf);
  return {
    ...countsOf(tallies.reduce((sum, it) => sumOf(it, sum), emptyTally())),
    hours: rows.map((row, index) => ({
      hour: new Date(row.hour * HOUR_MS).toISOString(),
      ...countsOf(tallies[index] as Tally),
    })),
  };
}

function emptyTally(): Tally {
  const cache = { hit: 0, miss: 0, stale: 0, revalidated: 0 };
  return { count: 0, cache, maxMs: 0, latency: {}, errors: {} };
}

/** Adds a call to `tally` in place: a copy would cost more than a cached response. */
function countCall(tally: Tally, { cache, error, elapsedMs }: CallOutcome): void {
  tally.count += 1;
  if (cache && cache !== 'off') tally.cache[cache] += 1;
  if (error !== undefined) tally.errors[error] = (tally.errors[error] ?? 0) + 1;
  if (cache === 'hit' || cache === 'stale') return;
  const ms = Math.round(elapsedMs);
  tally.maxMs = Math.max(tally.maxMs, ms);
  addTo(tally.latency, bucketOf(ms), 1);
}

/** The sum of two tallies; the inputs are not modified. */
function sumOf(one: Tally, other: Tally | undefined): Tally {
  if (!other) return one;
  const { hit, miss, stale, revalidated } = other.cache;
  const sum: Tally = {
    count: one.count + other.count,
    cache: {
      hit: one.cache.hit + hit,
      miss: one.cache.miss + miss,
      stale: one.cache.stale + stale,
      revalidated: one.cache.revalidated + revalidated,
    },
    maxMs: Math.max(one.maxMs, other.maxMs),
    latency: { ...one.latency },
    errors: { ...one.errors },
  };
  for (const [bucket, count] of Object.entries(other.latency)) {
    addTo(sum.latency, Number(bucket), count);
  }
  for (const [code, count] of Object.entries(other.errors)) {
    sum.errors[code] = (sum.errors[code] ?? 0) + count;
  }
  return sum;
}

function columnsOf({ count, cache, maxMs, latency, errors }: Tally) {
  return {
    count,
    cache_hit: cache.hit,
    cache_miss: cache.miss,
    cache_stale: cache.stale,
    cache_revalidated: cache.revalidated,
    latency_max_ms: maxMs,
    latency: JSON.stringify(latency),
    errors: JSON.stringify(errors),
  };
}

function tallyOf(row: SourceCalls): Tally {
  return {
    count: row.count,
    cache: {
      hit: row.cache_hit,
      miss: row.cache_miss,
      stale: row.cache_stale,
      revalidated: row.cache_revalidated,
    },
    maxMs: row.latency_max_ms,
    latency: JSON.parse(row.latency) as Histogram,
    errors: JSON.parse(row.errors) as Record<string, number>,
  };
}

function countsOf({ count, errors, cache, latency, maxMs }: Tally): CallCounts {
  const at = (share: number) => {
    const bound = percentileMs(latency, share);
    return bound === null ? null : Math.min(maxMs, Math.round(bound));
  };
  const max = Object.keys(latency).length > 0 ? maxMs : null;
  return { count, errors, cache, latency_ms: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max } };
}
