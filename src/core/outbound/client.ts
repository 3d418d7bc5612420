import { LRUCache } from 'lru-cache';
import { ANY_HOST, parseAllowList, parsePermitted, type Target } from './address.ts';
import type { CircuitStats } from './breaker.ts';
import { HttpCache, type OutboundCacheStats, type Outcome } from './cache.ts';
import { HttpTrips } from './calls.ts';
import { OutboundError, type OutboundErrorCode } from './errors.ts';
import { type OutboundOptions, type Settings, withDefaults } from './options.ts';
import {
  isKept,
  type OutboundReply,
  type OutboundRequest,
  type Plan,
  planRequest,
} from './request.ts';

export type { OutboundOptions } from './options.ts';
export type { OutboundReply, OutboundRequest } from './request.ts';

export interface OutboundStats {
  /** Requests on the wire now. */
  readonly inFlight: number;
  /** Requests waiting for a place now. */
  readonly queued: number;
  /** Calls since the start; those neither succeeded nor failed are under way. */
  readonly started: number;
  readonly succeeded: number;
  readonly retried: number;
  readonly redirected: number;
  /** Failed calls by code; a code that never occurred is absent. */
  readonly failed: Readonly<Partial<Record<OutboundErrorCode, number>>>;
  /** Hosts whose last request failed. */
  readonly circuits: readonly CircuitStats[];
  readonly cache: OutboundCacheStats;
}

/** The one way out of the process to addresses that a client or an administrator may choose. */
export interface Outbound {
  /**
   * Calls a URL. Only public addresses are dialled, and those of the allow-list. Throws
   * OutboundError; `aborted` when the signal is aborted or after close(). A request that is given
   * again as the same object is judged once, so what differs from call to call is apart.
   */
  call(request: OutboundRequest, asker?: Asker): Promise<OutboundReply>;
  /** GETs a URL and returns its JSON, with all defaults. Throws as `call`. */
  getJson(url: string, options?: GetOptions): Promise<unknown>;
  stats(): OutboundStats;
  /** Aborts what is under way, refuses what comes and closes idle connections. */
  close(): void;
}

/** The client behind one call of a request that many share. */
export interface Asker {
  /** On whose behalf the call is made, where that is not the owner of the request. */
  readonly caller?: string | undefined;
  /** Returns the signal of this call; it is asked only where something must be waited for. */
  readonly gone?: (() => AbortSignal) | undefined;
}

export interface GetOptions {
  readonly signal?: AbortSignal | undefined;
  /** On whose behalf the call is made, as in `OutboundRequest`. */
  readonly owner?: string | undefined;
}

/** Opens the way out; nothing is dialled before the first call. */
export function createOutbound(options: OutboundOptions): Outbound {
  return new HttpOutbound(withDefaults(options));
}

/** URLs that are judged once: an answer that is kept costs no more than to look it up. */
const MAX_JUDGED = 1_000;

function remembered(parse: (url: string) => Target): (url: string) => Target {
  const known = new LRUCache<string, Target>({ max: MAX_JUDGED });
  return (url) => {
    const target = known.get(url) ?? parse(url);
    known.set(url, target);
    return target;
  };
}

class HttpOutbound implements Outbound {
  readonly #settings: Settings;
  readonly #parse: (url: string) => Target;
  readonly #trips: HttpTrips;
  readonly #cache: HttpCache;
  readonly #plans = new WeakMap<OutboundRequest, Plan>();
  readonly #counts = { started: 0, succeeded: 0 };
  readonly #failed: Partial<Record<OutboundErrorCode, number>> = {};

  constructor(settings: Settings) {
    const { allowHosts } = settings;
    const allow = allowHosts === 'any' ? ANY_HOST : parseAllowList(allowHosts);
    const only = parseAllowList(settings.onlyHosts);
    this.#settings = settings;
    this.#parse = remembered((url) => parsePermitted(url, allow, only));
    const trips = new HttpTrips(settings, this.#parse);
    this.#trips = trips;
    this.#cache = new HttpCache(settings, (plan, further) => trips.go(plan, further));
  }

  async call(request: OutboundRequest, asker: Asker = {}): Promise<OutboundReply> {
    const kept = this.#kept(this.#plans.get(request));
    if (!kept) return this.#counted(async () => this.#answer(this.#planOf(request), asker));
    this.#counts.started += 1;
    this.#counts.succeeded += 1;
    return { ...kept, elapsedMs: 0 };
  }

  async getJson(url: string, { signal, owner }: GetOptions = {}) {
    const { data } = await this.#counted(async () => {
      const request = { url, signal, owner };
      const reply = await this.#answer(planRequest(request, this.#settings, this.#parse));
      if (reply.mediaType !== '') return reply;
      const { host } = this.#parse(url);
      const { attempts } = reply;
      throw new OutboundError('not_json', `${host} answered without a body`, { attempts });
    });
    return data;
  }

  stats(): OutboundStats {
    const { load, counts, breakers } = this.#trips;
    const failed = { ...this.#failed };
    return {
      ...load,
      ...this.#counts,
      ...counts,
      failed,
      circuits: breakers.stats(),
      cache: this.#cache.stats(),
    };
  }

  close(): void {
    this.#trips.close();
  }

  async #answer(judged: Plan, { caller, gone }: Asker = {}): Promise<Outcome> {
    const kept = this.#kept(judged);
    if (kept) return kept;
    const signal = gone ? gone() : judged.signal;
    if (isKept(judged)) {
      const share = () => this.#cache.answer(judged, caller);
      return this.#trips.unlessGone(judged.target, signal, share);
    }
    const isShared = gone !== undefined || caller !== undefined;
    const plan = isShared ? { ...judged, signal, caller: caller ?? judged.caller } : judged;
    const found = await this.#trips.go(plan);
    if (found.kind !== 'answer') throw new TypeError('304 to a request without a validator');
    const { status, mediaType, data, attempts } = found;
    return { status, mediaType, data, cache: 'off', ageSeconds: 0, attempts };
  }

  /** The answer that is kept for a request that was judged, which takes no time and cannot fail. */
  #kept(plan: Plan | undefined): Outcome | undefined {
    return plan && isKept(plan) && !this.#trips.isClosed ? this.#cache.kept(plan) : undefined;
  }

  #planOf(request: OutboundRequest): Plan {
    const plan = this.#plans.get(request) ?? planRequest(request, this.#settings, this.#parse);
    this.#plans.set(request, plan);
    return plan;
  }

  async #counted(task: () => Promise<Outcome>): Promise<OutboundReply> {
    const startedAtMs = this.#settings.now();
    this.#counts.started += 1;
    try {
      const reply = await task();
      this.#counts.succeeded += 1;
      return { ...reply, elapsedMs: this.#settings.now() - startedAtMs };
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      this.#failed[error.code] = (this.#failed[error.code] ?? 0) + 1;
      throw error.after({ elapsedMs: this.#settings.now() - startedAtMs });
    }
  }
}
