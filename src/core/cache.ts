import { LRUCache } from 'lru-cache';

/** How a cached answer came about: kept, made now, or kept past its time while it is remade. */
export type CacheState = 'hit' | 'miss' | 'stale';

export interface Cached<T> {
  value: T;
  state: CacheState;
  /** Whole seconds since the value was made. */
  ageSeconds: number;
}

export interface WrapOptions {
  /** Part of the key; one name for one function. */
  name: string;
  ttlMs: number;
  /** How long past its time a value may still be served, while remade or when that fails. */
  staleMs?: number;
  /** `invalidate` of any of these makes every value of this function be made anew. */
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

/** The guide's `cache_response(expire)`, kept in this process. */
export interface Cache {
  /**
   * Gives `fn` with its answers kept by name and JSON of its arguments. Simultaneous callers of
   * one key share one call. A value belongs to every caller: it must not be changed.
   */
  wrap<A extends unknown[], T>(
    options: WrapOptions,
    fn: (...args: A) => Promise<T>,
  ): (...args: A) => Promise<Cached<T>>;
  /** Forgets all that carries `tag`, what is being made at this moment too. */
  invalidate(tag: string): void;
  stats(): CacheStats;
}

export interface CacheOptions {
  maxEntries: number;
  /** Judged by the length of a value's JSON. */
  maxBytes: number;
  /** Milliseconds from a clock that does not jump. */
  now(): number;
}

/** How often each tag was invalidated, and all of them together. */
interface Generations {
  total: number;
  byTag: Map<string, number>;
}

interface Entry {
  value: unknown;
  madeAtMs: number;
}

export function createCache({ maxEntries, maxBytes, now }: CacheOptions): Cache {
  const counts = { hits: 0, misses: 0, stale: 0, in_flight: 0 };
  const generations: Generations = { total: 0, byTag: new Map() };
  const entries = new LRUCache<string, Entry, () => Promise<unknown>>({
    max: maxEntries,
    maxSize: maxBytes,
    // An entry over the bound is never stored: one answer cannot push out all others.
    maxEntrySize: maxBytes,
    sizeCalculation: ({ value }, key) => key.length + (JSON.stringify(value)?.length ?? 0) + 1,
    perf: { now },
    ttlResolution: 0,
    // Read even when stale, and kept until it is made anew.
    noDeleteOnStaleGet: true,
    fetchMethod: async (_key, _stale, { context }) => {
      counts.in_flight++;
      try {
        return { value: await context(), madeAtMs: now() };
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
  // A tag's generation is part of the key: what was begun before an invalidation is stored
  // under a key that nobody asks for again.
  let prefix = { of: -1, text: '' };
  const keyOf = (args: A) => {
    if (prefix.of !== generations.total) {
      const text = `${name} ${tags.map((tag) => generations.byTag.get(tag) ?? 0).join()} `;
      prefix = { of: generations.total, text };
    }
    const [only] = args;
    // Most are asked by one name, which no array begins like.
    if (args.length === 1 && typeof only === 'string') return `${prefix.text}=${only}`;
    return prefix.text + JSON.stringify(args);
  };
  return async (...args) => {
    const key = keyOf(args);
    const kept = entries.get(key, { allowStale: true });
    const ageMs = kept ? now() - kept.madeAtMs : 0;
    const state = !kept || ageMs > ttlMs + staleMs ? 'miss' : ageMs > ttlMs ? 'stale' : 'hit';
    counts[state === 'hit' ? 'hits' : state === 'miss' ? 'misses' : 'stale']++;
    if (kept && state === 'miss') entries.delete(key);
    if (kept && state === 'hit') {
      return { value: kept.value as T, state, ageSeconds: Math.floor(ageMs / 1000) };
    }
    // Without a stale value to fall back on, lru-cache would answer a failure with nothing.
    const isStale = state === 'stale';
    const entry = await entries.fetch(key, {
      ttl: ttlMs,
      context: () => fn(...args),
      allowStale: isStale,
      allowStaleOnFetchRejection: isStale,
      noDeleteOnFetchRejection: isStale,
    });
    const { value, madeAtMs } = entry as Entry;
    return { value: value as T, state, ageSeconds: Math.floor((now() - madeAtMs) / 1000) };
  };
}
