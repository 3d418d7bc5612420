import { LRUCache } from 'lru-cache';
import type { Found } from './calls.ts';
import { isPassing } from './errors.ts';
import {
  type Freshness,
  freshnessOf,
  isSameVersion,
  type KeptHeaders,
  keptHeaders,
  validatorsOf,
} from './freshness.ts';
import type { CachedPlan, OutboundReply, Plan } from './request.ts';

/** What a call learns: all but the time it took. */
export type Outcome = Omit<OutboundReply, 'elapsedMs'>;

/** An answer, as it is kept. */
interface Entry {
  readonly status: number;
  readonly mediaType: string;
  readonly data: unknown;
  readonly bytes: number;
  readonly headers: KeptHeaders;
  /** Undefined when it must not be kept. */
  readonly freshness: Freshness | undefined;
  readonly madeAtMs: number;
}

/** What there is of an entry before it is judged how long it holds. */
type NewEntry = Omit<Entry, 'freshness' | 'madeAtMs'>;

export interface OutboundCacheStats {
  readonly hits: number;
  readonly misses: number;
  readonly stale: number;
  readonly revalidated: number;
  /** Answers that are being fetched now. */
  readonly inFlight: number;
  readonly entries: number;
  readonly bytes: number;
}

type Go = (plan: Plan, further?: Readonly<Record<string, string>>) => Promise<Found>;
type Fetched = { readonly state: 'miss' | 'revalidated'; readonly attempts: number } & Entry;

interface Limits {
  readonly cacheEntries: number;
  readonly cacheBytes: number;
  readonly now: () => number;
}

/**
 * The answers of outside calls, in this process. Not core/cache.ts: there the caller fixes a
 * time for a function of his own, here each answer says how long it holds, and one that no
 * longer does may be confirmed without a body.
 */
export class HttpCache {
  readonly #counts = { hits: 0, misses: 0, stale: 0, revalidated: 0 };
  /** Of plans that are asked for again. */
  readonly #keys = new WeakMap<CachedPlan, string>();
  readonly #flights = new Map<string, Promise<Fetched>>();
  readonly #entries: LRUCache<string, Entry>;
  readonly #go: Go;
  readonly #now: () => number;

  constructor({ cacheEntries, cacheBytes, now }: Limits, go: Go) {
    this.#go = go;
    this.#now = now;
    this.#entries = new LRUCache({
      max: cacheEntries,
      maxSize: cacheBytes,
      // An answer over the bound is never stored: one cannot push out all others.
      maxEntrySize: cacheBytes,
      sizeCalculation: sizeOf,
    });
  }

  /** The answer that is kept and still holds; undefined where one must be fetched. */
  kept(plan: CachedPlan): Outcome | undefined {
    if (plan.cache.renew) return undefined;
    const entry = this.#entries.get(this.#keyOf(plan));
    const holds = entry?.freshness && this.#ageMs(entry) < entry.freshness.freshMs;
    return holds ? this.#serve(entry, 'hit', 0) : undefined;
  }

  /**
   * A new answer, or one that is kept past its time, where `kept` had none. Those who ask for the
   * same at once share one call, on behalf of the first of them; it ends by its own deadline and not
   * when one of them goes away. Throws OutboundError.
   */
  async answer(plan: CachedPlan, caller = plan.caller): Promise<Outcome> {
    const key = this.#keyOf(plan);
    const kept = this.#entries.get(key);
    const lateMs = kept?.freshness ? this.#ageMs(kept) - kept.freshness.freshMs : 0;
    const isEnough = plan.cache.renew !== true;
    const flight = this.#fetchOnce(key, { ...plan, caller, signal: undefined }, kept);
    if (isEnough && kept?.freshness && lateMs < kept.freshness.whileRevalidatingMs) {
      return this.#serve(kept, 'stale', 0);
    }
    try {
      const fetched = await flight;
      return this.#serve(fetched, fetched.state, fetched.attempts);
    } catch (error) {
      const isBridged = kept?.freshness && lateMs < kept.freshness.ifErrorMs;
      if (!isBridged || !isPassing(error) || error.code === 'aborted') throw error;
      return this.#serve(kept, 'stale', error.attempts);
    }
  }

  stats(): OutboundCacheStats {
    const { size, calculatedSize } = this.#entries;
    const inFlight = this.#flights.size;
    return { ...this.#counts, inFlight, entries: size, bytes: calculatedSize };
  }

  #keyOf(plan: CachedPlan): string {
    const key = this.#keys.get(plan) ?? keyOf(plan);
    this.#keys.set(plan, key);
    return key;
  }

  #fetchOnce(key: string, plan: CachedPlan, kept: Entry | undefined): Promise<Fetched> {
    const known = this.#flights.get(key);
    if (known) return known;
    const flight = this.#fetch(key, plan, kept).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    // Nobody may be waiting: then a failure is seen by the next caller.
    flight.catch(() => {});
    return flight;
  }

  async #fetch(key: string, plan: CachedPlan, kept: Entry | undefined): Promise<Fetched> {
    const startedAtMs = this.#now();
    try {
      const found = await this.#go(plan, kept && validatorsOf(kept.headers));
      if (found.kind === 'answer') return this.#keep(key, plan, entryOf(found), found);
      if (kept && isSameVersion(kept.headers, keptHeaders(found.headers))) {
        const headers = { ...kept.headers, ...keptHeaders(found.headers) };
        return this.#keep(key, plan, { ...kept, headers }, found);
      }
    } catch (error) {
      // Gone, or no longer allowed: what is kept holds no more.
      if (!isPassing(error)) this.#entries.delete(key);
      throw error;
    }
    // It confirmed an answer that is not ours: ask once more for the whole.
    this.#entries.delete(key);
    const timeoutMs = Math.max(1, plan.timeoutMs - (this.#now() - startedAtMs));
    return this.#fetch(key, { ...plan, timeoutMs }, undefined);
  }

  #keep(key: string, plan: CachedPlan, answer: NewEntry, found: Found): Fetched {
    const entry = judgedEntry(plan, answer, found, this.#now());
    if (isOfUse(entry)) this.#entries.set(key, entry);
    else this.#entries.delete(key);
    const state = found.kind === 'answer' ? 'miss' : 'revalidated';
    return { ...entry, attempts: found.attempts, state };
  }

  #serve(entry: Entry, cache: 'hit' | 'miss' | 'stale' | 'revalidated', attempts: number): Outcome {
    const { status, mediaType, data } = entry;
    this.#counts[cache === 'hit' ? 'hits' : cache === 'miss' ? 'misses' : cache] += 1;
    const ageSeconds = Math.floor(this.#ageMs(entry) / 1_000);
    return { status, mediaType, data, cache, ageSeconds, attempts };
  }

  #ageMs({ madeAtMs }: Entry): number {
    return Math.max(0, this.#now() - madeAtMs);
  }
}

function entryOf(found: Found & { readonly kind: 'answer' }): NewEntry {
  const { status, mediaType, data, bytes } = found;
  return { status, mediaType, data, bytes, headers: keptHeaders(found.headers) };
}

/** The entry as it stands from now on, for as long as its source or its headers say. */
function judgedEntry(
  plan: CachedPlan,
  entry: NewEntry,
  { isRedirected }: Pick<Found, 'isRedirected'>,
  nowMs: number,
): Entry {
  // The redirect itself says nothing of how long it holds, unless the source fixed that.
  const isKeepable = entry.status === 200 && (!isRedirected || plan.cache.ttlMs !== undefined);
  const headers = isRedirected ? {} : entry.headers;
  const freshness = isKeepable ? freshnessOf(plan, plan.cache, headers) : undefined;
  return { ...entry, headers, freshness, madeAtMs: nowMs - (freshness?.ageMs ?? 0) };
}

/** Whether an entry can ever be served, or confirmed. */
function isOfUse({ freshness, headers }: Entry): boolean {
  if (!freshness) return false;
  const { freshMs, whileRevalidatingMs, ifErrorMs } = freshness;
  const isValidatable = Object.keys(validatorsOf(headers)).length > 0;
  return isValidatable || freshMs + whileRevalidatingMs + ifErrorMs > 0;
}

/** Its size in bytes, nearly: the body as it was sent, and what is kept beside it. */
function sizeOf({ bytes, headers }: Entry, key: string): number {
  let size = bytes + key.length;
  for (const name in headers) size += name.length + (headers[name] ?? '').length;
  return size;
}

// All that is sent is part of the key, so an answer that varies with it needs no second key,
// and one that was given to a secret is never found without it. So are the limits of the call:
// who joins it is held to his own.
/** Hashed: headers and queries hold secrets, which need not stand in memory for as long. */
function keyOf(plan: CachedPlan): string {
  const { cache, method, target, accept, headers, timeoutMs, maxBytes } = plan;
  const { key, ttlMs, staleMs } = cache;
  const rules = [key, ttlMs, staleMs, timeoutMs, maxBytes];
  const text = JSON.stringify([...rules, method, target.href, accept, headers]);
  return Bun.SHA256.hash(text, 'base64url');
}
