import { unlessAborted, withLimit } from '../../utils/async/abort.ts';
import { createKeyedLimiter, QueueFullError } from '../../utils/async/keyed-limiter.ts';
import { decodeUtf8 } from '../../utils/text/utf8.ts';
import { jitteredDelayMs } from '../../utils/time/backoff.ts';
import type { Target } from './address.ts';
import { type CircuitStats, createBreakers } from './breaker.ts';
import { OutboundError, type OutboundErrorCode } from './errors.ts';
import { type Exchanged, exchange, type Hop, type ReceivedResponse } from './exchange.ts';
import { OWNER_SHARE_OF_HOST, type Settings } from './options.ts';
import { createPublicResolver } from './public-resolver.ts';
import { isIdempotent, type OutboundMethod, type Plan } from './request.ts';
import { createSessions } from './sessions.ts';

/** The result of a dispatched call. */
export type Dispatched = (
  | ({ readonly kind: 'response' } & ReceivedResponse)
  | { readonly kind: 'not_modified'; readonly headers: Headers }
) & { readonly attempts: number; readonly isRedirected: boolean };

export interface DispatcherStats {
  /** Requests on the wire now. */
  readonly inFlight: number;
  /** Requests that wait for a place now. */
  readonly queued: number;
  readonly retried: number;
  readonly redirected: number;
  /** Hosts whose last request failed. */
  readonly circuits: readonly CircuitStats[];
}

/** Sends calls: queue, circuit breaker, redirects, retries and deadline. */
export interface Dispatcher {
  /** Sends one call, with extra headers such as validators. Throws OutboundError. */
  dispatch(plan: Plan, extraHeaders?: Readonly<Record<string, string>>): Promise<Dispatched>;
  /**
   * Waits for shared work. Throws `aborted` as soon as the signal is aborted, or if the dispatcher is
   * closed; the work itself continues.
   */
  waitForShared<T>(
    target: Target,
    signal: AbortSignal | undefined,
    share: () => Promise<T>,
  ): Promise<T>;
  stats(): DispatcherStats;
  isClosed(): boolean;
  /** Aborts all calls, refuses new ones and closes idle connections. */
  close(): void;
}

const BACKOFF = { baseMs: 200, maxMs: 2_000 };
const NOT_SENT: ReadonlySet<OutboundErrorCode> = new Set(['circuit_open', 'overloaded']);

/** The state of one call. */
interface CallState {
  readonly plan: Plan;
  readonly signal: AbortSignal;
  readonly endsAtMs: number;
  readonly progress: { retries: number; attempts: number };
}

/** Creates a dispatcher. `parse` validates the URLs of redirects. */
export function createDispatcher(settings: Settings, parse: (url: string) => Target): Dispatcher {
  const { fetch, lookup, maxInFlight, maxPerHost, maxQueued } = settings;
  const { now, date, random, sleep } = settings;
  const breakers = createBreakers(now);
  const sessions = createSessions(maxPerHost, settings.ca);
  const limiter = createKeyedLimiter({
    maxTotal: maxInFlight,
    maxPerKey: maxPerHost,
    maxQueued,
    ownerShareOfKey: OWNER_SHARE_OF_HOST,
  });
  const resolve = createPublicResolver(lookup);
  const transport = { fetch, resolve, date, userAgent: `hutch/${settings.version}`, sessions };
  const counts = { retried: 0, redirected: 0 };
  // Not one shared signal: removing a listener takes longer the more listeners there are.
  const aborters = new Set<() => void>();
  let isClosed = false;

  const acquirePlace = async ({ hostname, port, host }: Target, { plan, signal }: CallState) => {
    const { caller: owner, maxPerHost: maxPerKey } = plan;
    try {
      return await limiter.acquire(`${hostname}:${port}`, { owner, signal, maxPerKey });
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      throw new OutboundError('overloaded', `Too many calls wait; ${host} was not called`);
    }
  };

  const attempt = async (hop: Hop, state: CallState): Promise<Exchanged> => {
    const { target } = hop;
    const { plan, progress } = state;
    // Checked before queueing, to fail fast, and again in `run`, when more is known.
    breakers.check(target, plan);
    const release = await acquirePlace(target, state);
    try {
      return await breakers.run(target, plan, () => {
        progress.attempts = progress.retries + 1;
        const onTimeout = () => timedOut(target, plan.attemptMs, true);
        const limit = { timeoutMs: plan.attemptMs, onTimeout, parent: state.signal };
        return withLimit(limit, (signal, end) =>
          exchange(transport, hop, plan, { retry: progress.retries, signal, end }),
        );
      });
    } finally {
      release();
    }
  };

  /** Returns the delay before a retry; undefined if the call must not be retried. */
  const retryDelayMs = (error: unknown, { method, target }: Hop, state: CallState) => {
    if (!(error instanceof OutboundError) || !error.retryable || state.signal.aborted) return;
    if (state.progress.retries >= state.plan.retries || !isIdempotent(method)) return;
    if (breakers.closedForMs(target, state.plan) > 0) return;
    // Jitter is added to Retry-After too, or all clients of the host would return at once.
    const jitterMs = jitteredDelayMs({ ...BACKOFF, retry: state.progress.retries, random });
    const delayMs = jitterMs + (error.retryAfterMs ?? 0);
    return now() + delayMs < state.endsAtMs ? delayMs : undefined;
  };

  const attemptWithRetries = async (hop: Hop, state: CallState): Promise<Exchanged> => {
    let failure: unknown;
    for (;;) {
      try {
        return await attempt(hop, state);
      } catch (error) {
        // A retry that was not sent must not replace the failure of the request before it.
        if (failure && isNotSent(error)) throw failure;
        const delayMs = retryDelayMs(error, hop, state);
        if (delayMs === undefined) throw error;
        failure = error;
        state.progress.retries += 1;
        counts.retried += 1;
        await sleep(delayMs, state.signal);
      }
    }
  };

  const followRedirects = async (first: Hop, state: CallState): Promise<Dispatched> => {
    const { maxRedirects } = state.plan;
    let hop = first;
    for (let redirects = 0; ; redirects += 1) {
      const exchanged = await attemptWithRetries(hop, state);
      if (exchanged.kind !== 'redirect') {
        return { ...exchanged, attempts: state.progress.attempts, isRedirected: redirects > 0 };
      }
      if (redirects === maxRedirects) {
        const fault = maxRedirects === 0 ? 'redirected the call' : 'redirected too often';
        const message = `${first.target.host} ${fault}`;
        throw new OutboundError('too_many_redirects', message);
      }
      counts.redirected += 1;
      hop = nextHop(hop, exchanged, parse);
    }
  };

  return {
    dispatch: async (plan, extraHeaders = {}) => {
      const { target, method, body, timeoutMs, signal: parent } = plan;
      const hop = { target, method, headers: { ...plan.headers, ...extraHeaders }, body };
      const limit = {
        timeoutMs,
        onTimeout: () => timedOut(target, timeoutMs),
        parent,
        onAbort: () => aborted(target),
      };
      const endsAtMs = now() + timeoutMs;
      const progress = { retries: 0, attempts: 0 };
      let abort: (() => void) | undefined;
      try {
        if (isClosed) throw aborted(target);
        return await withLimit(limit, (signal, end) => {
          abort = () => end(aborted(target));
          aborters.add(abort);
          return followRedirects(hop, { plan, signal, endsAtMs, progress });
        });
      } catch (error) {
        if (!(error instanceof OutboundError)) throw error;
        throw error.with({ attempts: progress.attempts });
      } finally {
        if (abort) aborters.delete(abort);
      }
    },

    waitForShared: async (target, signal, share) => {
      if (isClosed || signal?.aborted) throw aborted(target);
      if (!signal) return share();
      try {
        return await unlessAborted(share(), signal);
      } catch (error) {
        throw signal.aborted ? aborted(target) : error;
      }
    },

    stats: () => ({
      inFlight: limiter.active,
      queued: limiter.queued,
      ...counts,
      circuits: breakers.stats(),
    }),

    isClosed: () => isClosed,

    close: () => {
      isClosed = true;
      for (const abort of aborters) abort();
      sessions.close();
    },
  };
}

function isNotSent(error: unknown): boolean {
  return error instanceof OutboundError && NOT_SENT.has(error.code);
}

function timedOut({ host }: Target, limitMs: number, retryable = false): OutboundError {
  return new OutboundError('timeout', `${host} took longer than ${limitMs} ms`, { retryable });
}

function aborted({ host }: Target): OutboundError {
  return new OutboundError('aborted', `The call to ${host} was aborted`);
}

/** The headers that another origin may receive; any other may be a secret. */
const CROSS_ORIGIN_HEADERS: ReadonlySet<string> = new Set(['accept-language', 'user-agent']);
/** The headers that concern a single URL. */
const CONDITIONAL_HEADERS: ReadonlySet<string> = new Set(['if-modified-since', 'if-none-match']);

/**
 * Returns the request that follows a redirect. 303 changes the method to GET, as do 301 and 302 after
 * POST; otherwise method and body stay (RFC 9110, 15.4). Secrets and bodies never go to another
 * origin. Throws bad_redirect for a refused URL and for a body that would go to another origin.
 */
function nextHop(
  hop: Hop,
  { status, location }: { readonly status: number; readonly location: string },
  parse: (url: string) => Target,
): Hop {
  const { host } = hop.target;
  const target = redirectTarget(location, hop.target, parse);
  const isCrossOrigin = target.protocol !== hop.target.protocol || target.host !== host;
  const isNowGet = changesToGet(hop.method, status);
  const body = isNowGet ? undefined : hop.body;
  if (isCrossOrigin && body !== undefined) {
    throw new OutboundError('bad_redirect', `${host} redirected a body to another origin`);
  }
  const headers = Object.entries(hop.headers).filter(
    ([name]) =>
      !CONDITIONAL_HEADERS.has(name) &&
      !(isNowGet && name.startsWith('content-')) &&
      (!isCrossOrigin || CROSS_ORIGIN_HEADERS.has(name)),
  );
  const method = isNowGet ? 'GET' : hop.method;
  return { target, method, body, headers: Object.fromEntries(headers) };
}

function changesToGet(method: OutboundMethod, status: number): boolean {
  if (status === 303) return method !== 'HEAD';
  return (status === 301 || status === 302) && method === 'POST';
}

/** Decodes a header that fetch read as Latin-1: as UTF-8 if it is valid, like browsers do. */
function decodeHeader(value: string): string {
  if (!/[\u0080-\u00ff]/.test(value)) return value;
  return decodeUtf8(Buffer.from(value, 'latin1')) ?? value;
}

function redirectTarget(location: string, from: Target, parse: (url: string) => Target): Target {
  try {
    return parse(new URL(decodeHeader(location), from.href).href);
  } catch (cause) {
    const message = `${from.host} redirected to a URL that may not be called`;
    throw new OutboundError('bad_redirect', message, { cause });
  }
}
