import { LRUCache } from 'lru-cache';
import type { Dispatched, Dispatcher } from './dispatcher.ts';
import { isTransient } from './errors.ts';
import {
  type CacheHeaders,
  cacheHeadersOf,
  type Freshness,
  freshnessOf,
  isSameVersion,
  validatorsOf,
} from './freshness.ts';
import type { CacheablePlan, OutboundResponse } from './request.ts';

/** The response to a call, without its duration. */
export type CallResult = Omit<OutboundResponse, 'elapsedMs'>;

/** A cached response. */
interface Entry {
  readonly status: number;
  readonly mediaType: string;
  readonly data: unknown;
  readonly bytes: number;
  readonly headers: CacheHeaders;
  /** Undefined if the response must not be stored. */
  readonly freshness: Freshness | undefined;
  readonly madeAtMs: number;
}

/** An entry before its freshness is known. */
type NewEntry = Omit<Entry, 'freshness' | 'madeAtMs'>;

export interface OutboundCacheStats {
  readonly hits: number;
  readonly misses: number;
  readonly stale: number;
  readonly revalidated: number;
  /** Responses that are being fetched now. */
  readonly inFlight: number;
  readonly entries: number;
  readonly bytes: number;
}

type Fetched = { readonly state: 'miss' | 'revalidated'; readonly attempts: number } & Entry;

interface CacheOptions {
  readonly cacheEntries: number;
  readonly cacheBytes: number;
  readonly now: () => number;
  readonly dispatch: Dispatcher['dispatch'];
}

export interface OutboundCache {
  /** Returns the cached response while it is fresh; otherwise undefined. */
  getFresh(plan: CacheablePlan): CallResult | undefined;
  /**
   * Fetches the response, or serves a stale one. Concurrent calls for the same response share one
   * request, sent on behalf of the first caller; it ends at its own deadline, not when a caller
   * aborts. Throws OutboundError.
   */
  fetch(plan: CacheablePlan, caller?: string): Promise<CallResult>;
  stats(): OutboundCacheStats;
}

/**
 * Creates an in-process HTTP cache (RFC 9111). Unlike core/cache.ts, where the caller sets the time to
 * live, each response defines its own freshness and can be revalidated without a body.
 */
export function createOutboundCache(options: CacheOptions): OutboundCache {
  const { cacheEntries, cacheBytes, now, dispatch } = options;
  const counts = { hits: 0, misses: 0, stale: 0, revalidated: 0 };
  /** The keys of plans that are used repeatedly. */
  const keys = new WeakMap<CacheablePlan, string>();
  const flights = new Map<string, Promise<Fetched>>();
  const entries = new LRUCache<string, Entry>({
    max: cacheEntries,
    maxSize: cacheBytes,
    // A larger response is not stored, so that a single one cannot evict all others.
    maxEntrySize: cacheBytes,
    sizeCalculation: sizeOf,
  });

  const memoizedKeyOf = (plan: CacheablePlan): string => {
    const key = keys.get(plan) ?? keyOf(plan);
    keys.set(plan, key);
    return key;
  };

  const ageMsOf = ({ madeAtMs }: Entry): number => Math.max(0, now() - madeAtMs);

  const serve = (entry: Entry, cache: 'hit' | 'stale' | Fetched['state'], attempts: number) => {
    const { status, mediaType, data } = entry;
    counts[cache === 'hit' ? 'hits' : cache === 'miss' ? 'misses' : cache] += 1;
    const ageSeconds = Math.floor(ageMsOf(entry) / 1_000);
    return { status, mediaType, data, cache, ageSeconds, attempts };
  };

  const store = (key: string, plan: CacheablePlan, content: NewEntry, from: Dispatched) => {
    const entry = withFreshness(plan, content, from, now());
    if (isUsable(entry)) entries.set(key, entry);
    else entries.delete(key);
    const state = from.kind === 'response' ? ('miss' as const) : ('revalidated' as const);
    return { ...entry, attempts: from.attempts, state };
  };

  const fetchAndStore = async (
    key: string,
    plan: CacheablePlan,
    cached: Entry | undefined,
  ): Promise<Fetched> => {
    const startedAtMs = now();
    try {
      const dispatched = await dispatch(plan, cached && validatorsOf(cached.headers));
      if (dispatched.kind === 'response') return store(key, plan, newEntry(dispatched), dispatched);
      const newHeaders = cacheHeadersOf(dispatched.headers);
      if (cached && isSameVersion(cached.headers, newHeaders)) {
        const headers = { ...cached.headers, ...newHeaders };
        return store(key, plan, { ...cached, headers }, dispatched);
      }
    } catch (error) {
      // The resource is gone or refused, so the cached response is no longer valid.
      if (!isTransient(error)) entries.delete(key);
      throw error;
    }
    // The 304 is about a version that is not cached: request the whole response.
    entries.delete(key);
    const timeoutMs = Math.max(1, plan.timeoutMs - (now() - startedAtMs));
    return fetchAndStore(key, { ...plan, timeoutMs }, undefined);
  };

  const fetchOnce = (key: string, plan: CacheablePlan, cached: Entry | undefined) => {
    const known = flights.get(key);
    if (known) return known;
    const flight = fetchAndStore(key, plan, cached).finally(() => flights.delete(key));
    flights.set(key, flight);
    // A background refresh has no caller: its failure appears at the next call.
    flight.catch(() => {});
    return flight;
  };

  return {
    getFresh: (plan) => {
      if (plan.cache.renew) return undefined;
      const entry = entries.get(memoizedKeyOf(plan));
      const isFresh = entry?.freshness && ageMsOf(entry) < entry.freshness.freshMs;
      return isFresh ? serve(entry, 'hit', 0) : undefined;
    },

    fetch: async (plan, caller = plan.caller) => {
      const key = memoizedKeyOf(plan);
      const cached = entries.get(key);
      const staleForMs = cached?.freshness ? ageMsOf(cached) - cached.freshness.freshMs : 0;
      const mayServeStale = plan.cache.renew !== true;
      const flight = fetchOnce(key, { ...plan, caller, signal: undefined }, cached);
      if (mayServeStale && cached?.freshness && staleForMs < cached.freshness.whileRevalidatingMs) {
        return serve(cached, 'stale', 0);
      }
      try {
        const fetched = await flight;
        return serve(fetched, fetched.state, fetched.attempts);
      } catch (error) {
        const isCovered = cached?.freshness && staleForMs < cached.freshness.ifErrorMs;
        if (!isCovered || !isTransient(error) || error.code === 'aborted') throw error;
        return serve(cached, 'stale', error.attempts);
      }
    },

    stats: () => {
      const { size, calculatedSize } = entries;
      return { ...counts, inFlight: flights.size, entries: size, bytes: calculatedSize };
    },
  };
}

function newEntry(response: Dispatched & { readonly kind: 'response' }): NewEntry {
  const { status, mediaType, data, bytes } = response;
  return { status, mediaType, data, bytes, headers: cacheHeadersOf(response.headers) };
}

/** Returns the entry with the freshness that its source or its headers define from now on. */
function withFreshness(
  plan: CacheablePlan,
  content: NewEntry,
  { isRedirected }: Pick<Dispatched, 'isRedirected'>,
  nowMs: number,
): Entry {
  // The freshness of the redirect itself is unknown, unless the source fixes a time to live.
  const isStorable = content.status === 200 && (!isRedirected || plan.cache.ttlMs !== undefined);
  const headers = isRedirected ? {} : content.headers;
  const freshness = isStorable ? freshnessOf(plan, plan.cache, headers) : undefined;
  return { ...content, headers, freshness, madeAtMs: nowMs - (freshness?.ageMs ?? 0) };
}

/** Returns true if an entry can be served or revalidated. */
function isUsable({ freshness, headers }: Entry): boolean {
  if (!freshness) return false;
  const { freshMs, whileRevalidatingMs, ifErrorMs } = freshness;
  const canRevalidate = Object.keys(validatorsOf(headers)).length > 0;
  return canRevalidate || freshMs + whileRevalidatingMs + ifErrorMs > 0;
}

/** Returns the approximate size of an entry in bytes: the body as sent, the headers and the key. */
function sizeOf({ bytes, headers }: Entry, key: string): number {
  let size = bytes + key.length;
  for (const name in headers) size += name.length + (headers[name] ?? '').length;
  return size;
}

/**
 * Returns the cache key. It covers everything that is sent, so a Vary header needs no second key and
 * a response to a secret is never served without it. It covers the limits too, so each caller gets
 * its own. Hashed, because headers and queries contain secrets.
 */
function keyOf(plan: CacheablePlan): string {
  const { cache, method, target, accept, headers, timeoutMs, maxBytes } = plan;
  const { key, ttlMs, staleMs } = cache;
  const rules = [key, ttlMs, staleMs, timeoutMs, maxBytes];
  const text = JSON.stringify([...rules, method, target.href, accept, headers]);
  return Bun.SHA256.hash(text, 'base64url');
}
