import { LRUCache } from 'lru-cache';
import { ANY_HOST, parseAllowList, parsePermitted, type Target } from './address.ts';
import { type CallResult, createOutboundCache, type OutboundCacheStats } from './cache.ts';
import { createDispatcher, type DispatcherStats } from './dispatcher.ts';
import { OutboundError, type OutboundErrorCode } from './errors.ts';
import { type OutboundOptions, withDefaults } from './options.ts';
import {
  isCacheable,
  type OutboundRequest,
  type OutboundResponse,
  type Plan,
  planRequest,
} from './request.ts';

export type { OutboundOptions } from './options.ts';
export type { OutboundRequest, OutboundResponse } from './request.ts';

export interface OutboundStats extends DispatcherStats {
  /** Calls since the start; those neither succeeded nor failed are in progress. */
  readonly started: number;
  readonly succeeded: number;
  /** Failed calls by code; a code that never occurred is absent. */
  readonly failed: Readonly<Partial<Record<OutboundErrorCode, number>>>;
  readonly cache: OutboundCacheStats;
}

/** An HTTP client for URLs that clients or administrators choose; all external calls use one. */
export interface Outbound {
  /**
   * Calls a URL. Connects only to public addresses and allow-listed hosts. Throws OutboundError:
   * `aborted` if the signal is aborted or after close(). A request object is validated once and may
   * be reused; `context` contains the differences between its calls.
   */
  call(request: OutboundRequest, context?: CallContext): Promise<OutboundResponse>;
  /** GETs a URL with all defaults and returns its JSON. Throws as `call` does. */
  getJson(url: string, options?: GetOptions): Promise<unknown>;
  stats(): OutboundStats;
  /** Aborts all calls, refuses new ones and closes idle connections. */
  close(): void;
}

/** The client behind one call of a shared request. */
export interface CallContext {
  /** The party on whose behalf the call is sent, if not the owner of the request. */
  readonly caller?: string | undefined;
  /** Returns the signal of this call; not called if the response is cached. */
  readonly signal?: (() => AbortSignal) | undefined;
}

export interface GetOptions {
  readonly signal?: AbortSignal | undefined;
  /** See `OutboundRequest`. */
  readonly owner?: string | undefined;
}

/** The number of parsed URLs to remember, so that a cached response costs only a lookup. */
const MAX_TARGETS = 1_000;

function memoized(parse: (url: string) => Target): (url: string) => Target {
  const targets = new LRUCache<string, Target>({ max: MAX_TARGETS });
  return (url) => {
    const target = targets.get(url) ?? parse(url);
    targets.set(url, target);
    return target;
  };
}

/** Creates a client. It opens no connection before the first call. */
export function createOutbound(options: OutboundOptions): Outbound {
  const settings = withDefaults(options);
  const { allowHosts, now } = settings;
  const allow = allowHosts === 'any' ? ANY_HOST : parseAllowList(allowHosts);
  const only = parseAllowList(settings.onlyHosts);
  const parse = memoized((url) => parsePermitted(url, allow, only));
  const dispatcher = createDispatcher(settings, parse);
  const { dispatch } = dispatcher;
  const cache = createOutboundCache({ ...settings, dispatch });
  const plans = new WeakMap<OutboundRequest, Plan>();
  const counts = { started: 0, succeeded: 0 };
  const failed: Partial<Record<OutboundErrorCode, number>> = {};

  /** Returns the fresh cached response to a validated request; synchronous and never throws. */
  const getFresh = (plan: Plan | undefined): CallResult | undefined =>
    plan && isCacheable(plan) && !dispatcher.isClosed() ? cache.getFresh(plan) : undefined;

  const planOf = (request: OutboundRequest): Plan => {
    const plan = plans.get(request) ?? planRequest(request, settings, parse);
    plans.set(request, plan);
    return plan;
  };

  const send = async (plan: Plan, context: CallContext = {}): Promise<CallResult> => {
    const fresh = getFresh(plan);
    if (fresh) return fresh;
    const signal = context.signal ? context.signal() : plan.signal;
    const { caller = plan.caller } = context;
    if (isCacheable(plan)) {
      return dispatcher.waitForShared(plan.target, signal, () => cache.fetch(plan, caller));
    }
    const dispatched = await dispatch({ ...plan, signal, caller });
    if (dispatched.kind !== 'response') throw new TypeError('304 without a validator');
    const { status, mediaType, data, attempts } = dispatched;
    return { status, mediaType, data, cache: 'off', ageSeconds: 0, attempts };
  };

  const counted = async (task: () => Promise<CallResult>): Promise<OutboundResponse> => {
    const startedAtMs = now();
    counts.started += 1;
    try {
      const result = await task();
      counts.succeeded += 1;
      return { ...result, elapsedMs: now() - startedAtMs };
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      failed[error.code] = (failed[error.code] ?? 0) + 1;
      throw error.with({ elapsedMs: now() - startedAtMs });
    }
  };

  return {
    call: async (request, context) => {
      const fresh = getFresh(plans.get(request));
      if (!fresh) return counted(async () => send(planOf(request), context));
      counts.started += 1;
      counts.succeeded += 1;
      return { ...fresh, elapsedMs: 0 };
    },

    getJson: async (url, { signal, owner } = {}) => {
      const { data } = await counted(async () => {
        const result = await send(planRequest({ url, signal, owner }, settings, parse));
        if (result.mediaType !== '') return result;
        const { attempts } = result;
        const message = `${parse(url).host} answered without a body`;
        throw new OutboundError('not_json', message, { attempts });
      });
      return data;
    },

    stats: () => ({
      ...dispatcher.stats(),
      ...counts,
      failed: { ...failed },
      cache: cache.stats(),
    }),

    close: dispatcher.close,
  };
}
