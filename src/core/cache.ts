import { LRUCache } from 'lru-cache';

/** The origin of a value: cached, computed now, or expired and being refreshed. */
export type CacheState = 'hit' | 'miss' | 'stale';

export interface Cached<T> {
  value: T;
  state: CacheState;
  /** Whole seconds since the value was computed. */
  ageSeconds: number;
}

export interface WrapOptions {
  /** Part of the key; unique per function. */
  name: string;
  ttlMs: number;
  /** The time that an expired value may be served while a refresh runs or after it failed. */
  staleMs?: number;
  /** Invalidating any of these invalidates all values of this function. */
  tags?: readonly string[];
}

export interface CacheStats {
  hits: number;
  misses: number;
  stale: number;
  in_flight: number;
  entries: number;
  bytes: number;
}

/** The guide's `cache_response(expire)`, in the memory of this process. */
export interface Cache {
  /**
   * Returns `fn` with its results cached by name and JSON of its arguments. Concurrent callers of
   * one key share one call. All callers share a value: it must not be changed.
   */
  wrap<A extends unknown[], T>(
    options: WrapOptions,
    fn: (...args: A) => Promise<T>,
  ): (...args: A) => Promise<Cached<T>>;
  /** Invalidates all values with `tag`, including those being computed. */
  invalidate(tag: string): void;
  stats(): CacheStats;
}

export interface CacheOptions {
  maxEntries: number;
  /** Measured by the length of a value's JSON. */
  maxBytes: number;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

/** Counts of invalidations, per tag and in total. */
interface Generations {
  total: number;
  byTag: Map<string, number>;
}

interface Entry {
  value: unknown;
  computedAtMs: number;
}

export function createCache({ maxEntries, maxBytes, now }: CacheOptions): Cache {
  const counts = { hits: 0, misses: 0, stale: 0, in_flight: 0 };
  const generations: Generations = { total: 0, byTag: new Map() };
  const entries = new LRUCache<string, Entry, () => Promise<unknown>>({
    max: maxEntries,
    maxSize: maxBytes,
    // A larger entry is never stored: one value must not evict all others.
    maxEntrySize: maxBytes,
    sizeCalculation: ({ value }, key) => key.length + (JSON.stringify(value)?.length ?? 0) + 1,
    perf: { now },
    ttlResolution: 0,
    // A stale entry is readable until it is refreshed.
    noDeleteOnStaleGet: true,
    fetchMethod: async (_key, _stale, { context }) => {
      counts.in_flight++;
      try {
        return { value: await context(), computedAtMs: now() };
      } finally {
        counts.in_flight--;
      }
    },
  });
  return {
    wrap: (options, fn) => wrapWith({ entries, generations, counts, now }, options, fn),
    invalidate: (tag) => {
      generations.total++;
      generations.byTag.set(tag, (generations.byTag.get(tag) ?? 0) + 1);
    },
    stats: () => ({ ...counts, entries: entries.size, bytes: entries.calculatedSize }),
  };
}

interface Store {
  entries: LRUCache<string, Entry, () => Promise<unknown>>;
  generations: Generations;
  counts: { hits: number; misses: number; stale: number };
  now(): number;
}

function wrapWith<A extends unknown[], T>(
  { entries, generations, counts, now }: Store,
  { name, ttlMs, staleMs = 0, tags = [] }: WrapOptions,
  fn: (...args: A) => Promise<T>,
): (...args: A) => Promise<Cached<T>> {
  const keyOf = createKeys(generations, name, tags);
  return async (...args) => {
    const key = keyOf(args);
    const cached = entries.get(key, { allowStale: true });
    const ageMs = cached ? now() - cached.computedAtMs : 0;
    const state = !cached || ageMs > ttlMs + staleMs ? 'miss' : ageMs > ttlMs ? 'stale' : 'hit';
    counts[state === 'hit' ? 'hits' : state === 'miss' ? 'misses' : 'stale']++;
    if (cached && state === 'miss') entries.delete(key);
    if (cached && state === 'hit') {
      return { value: cached.value as T, state, ageSeconds: Math.floor(ageMs / 1000) };
    }
    // Without a stale value as a fallback, lru-cache would return undefined on failure.
    const isStale = state === 'stale';
    const entry = await entries.fetch(key, {
      ttl: ttlMs,
      context: () => fn(...args),
      allowStale: isStale,
      allowStaleOnFetchRejection: isStale,
      noDeleteOnFetchRejection: isStale,
    });
    const { value, computedAtMs } = entry as Entry;
    return { value: value as T, state, ageSeconds: Math.floor((now() - computedAtMs) / 1000) };
  };
}

/**
 * Builds the keys of a function's values. They contain the generations of its tags: a value
 * computed before an invalidation has a key that is never read again.
 */
function createKeys(generations: Generations, name: string, tags: readonly string[]) {
  let prefix = { total: -1, text: '' };
  return (args: unknown[]): string => {
    if (prefix.total !== generations.total) {
      const text = `${name} ${tags.map((tag) => generations.byTag.get(tag) ?? 0).join()} `;
      prefix = { total: generations.total, text };
    }
    const [only] = args;
    // Most calls have one text, which cannot be confused with JSON of an array.
    if (args.length === 1 && typeof only === 'string') return `${prefix.text}=${only}`;
    return prefix.text + JSON.stringify(args);
  };
}
