import type { SourceCalls } from '../../models/index.ts';
import { addTo, bucketOf, type Histogram, percentileMs } from '../../utils/histogram.ts';

/** What became of one call. */
export interface CallOutcome {
  /** Where the answer came from; undefined for a failure. */
  cache?: 'hit' | 'miss' | 'stale' | 'revalidated' | 'off' | undefined;
  /** Code of a failure. */
  error?: string | undefined;
  elapsedMs: number;
}

/** Counts of calls as they are told; a share of nothing is null. */
export interface CallCounts {
  count: number;
  errors: Record<string, number>;
  cache: { hit: number; miss: number; stale: number; revalidated: number };
  latency_ms: Record<'p50' | 'p90' | 'p99' | 'max', number | null>;
}

/** Counts of one source in one hour, as they are added up. */
export interface Tally {
  count: number;
  cache: CallCounts['cache'];
  maxMs: number;
  latency: Histogram;
  errors: Record<string, number>;
}

/** Of no calls. */
export function emptyTally(): Tally {
  const cache = { hit: 0, miss: 0, stale: 0, revalidated: 0 };
  return { count: 0, cache, maxMs: 0, latency: {}, errors: {} };
}

/** The tally itself with one call more: a copy would cost more than an answer that is kept. */
export function withCall(tally: Tally, { cache, error, elapsedMs }: CallOutcome): Tally {
  tally.count += 1;
  if (cache && cache !== 'off') tally.cache[cache] += 1;
  if (error !== undefined) tally.errors[error] = (tally.errors[error] ?? 0) + 1;
  if (cache === 'hit' || cache === 'stale') return tally;
  const ms = Math.round(elapsedMs);
  tally.maxMs = Math.max(tally.maxMs, ms);
  addTo(tally.latency, bucketOf(ms), 1);
  return tally;
}

/** Both together; neither is changed. */
export function merged(one: Tally, other: Tally | undefined): Tally {
  if (!other) return one;
  const { hit, miss, stale, revalidated } = other.cache;
  const tally: Tally = {
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
    addTo(tally.latency, Number(bucket), count);
  }
  for (const [code, count] of Object.entries(other.errors)) {
    tally.errors[code] = (tally.errors[code] ?? 0) + count;
  }
  return tally;
}

/** The columns that hold it. */
export function columnsOf({ count, cache, maxMs, latency, errors }: Tally) {
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

export function tallyIn(row: SourceCalls): Tally {
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

export function countsOf({ count, errors, cache, latency, maxMs }: Tally): CallCounts {
  const at = (share: number) => {
    const bound = percentileMs(latency, share);
    return bound === null ? null : Math.min(maxMs, Math.round(bound));
  };
  const max = Object.keys(latency).length > 0 ? maxMs : null;
  return { count, errors, cache, latency_ms: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max } };
}
