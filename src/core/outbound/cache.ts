import { LRUCache } from 'lru-cache';
import {
  type Entry,
  entryOf,
  isOfUse,
  judgedEntry,
  keyOf,
  type NewEntry,
  sizeOf,
} from './cache-entry.ts';
import type { Found } from './calls.ts';
import { isPassing } from './failures.ts';
import { isSameVersion, keptHeaders, validatorsOf } from './freshness.ts';
import type { CachedPlan, OutboundReply, Plan } from './request.ts';

/** What a call learns: all but the time it took. */
export type Outcome = Omit<OutboundReply, 'elapsedMs'>;

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
