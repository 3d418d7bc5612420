import { unlessAborted, withLimit } from '../../utils/async/abort.ts';
import { KeyedLimiter, QueueFullError } from '../../utils/async/keyed-limiter.ts';
import { jitteredDelayMs } from '../../utils/time/backoff.ts';
import type { Target } from './address.ts';
import { HttpBreakers } from './breaker.ts';
import { OutboundError, type OutboundErrorCode } from './errors.ts';
import { type Answer, exchange, type Hop, type Reply, type Wire } from './exchange.ts';
import { OWNER_SHARE_OF_HOST, type Settings } from './options.ts';
import { createPublicResolver } from './public-resolver.ts';
import { isIdempotent, type OutboundMethod, type Plan } from './request.ts';
import { HttpSessions } from './sessions.ts';

/** What a call brought home. */
export type Found = (
  | ({ readonly kind: 'answer' } & Answer)
  | { readonly kind: 'not_modified'; readonly headers: Headers }
) & { readonly attempts: number; readonly isRedirected: boolean };

const BACKOFF = { baseMs: 200, maxMs: 2_000 };
const HELD_BACK: ReadonlySet<OutboundErrorCode> = new Set(['circuit_open', 'overloaded']);

/** How far one call is. */
interface Trip {
  readonly plan: Plan;
  readonly signal: AbortSignal;
  readonly endsAtMs: number;
  readonly count: { retries: number; attempts: number };
}

/** Carries calls out: a place in the queue, the breaker, redirects, retries and the deadline. */
export class HttpTrips {
  readonly breakers: HttpBreakers;
  readonly counts = { retried: 0, redirected: 0 };
  readonly #settings: Settings;
  readonly #parse: (url: string) => Target;
  readonly #wire: Wire;
  readonly #limiter: KeyedLimiter;
  readonly #sessions: HttpSessions;
  // Not one signal: to stop listening to it takes the longer the more others listen.
  readonly #ends = new Set<() => void>();
  #isClosed = false;

  constructor(settings: Settings, parse: (url: string) => Target) {
    const { fetch, lookup, maxInFlight, maxPerHost, maxQueued, now, date, version } = settings;
    this.#settings = settings;
    this.#parse = parse;
    this.breakers = new HttpBreakers(now);
    this.#sessions = new HttpSessions(maxPerHost, settings.ca);
    const places = { maxTotal: maxInFlight, maxPerKey: maxPerHost, maxQueued };
    this.#limiter = new KeyedLimiter({ ...places, ownerShareOfKey: OWNER_SHARE_OF_HOST });
    const resolve = createPublicResolver(lookup);
    const userAgent = `hutch/${version}`;
    this.#wire = { fetch, resolve, date, userAgent, sessions: this.#sessions };
  }

  get load(): { readonly inFlight: number; readonly queued: number } {
    return { inFlight: this.#limiter.active, queued: this.#limiter.queued };
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
    this.#sessions.close();
  }

  /** Carries one call out, with further headers such as validators. Throws OutboundError. */
  async go(plan: Plan, further: Readonly<Record<string, string>> = {}): Promise<Found> {
    const { target, method, body, timeoutMs, signal } = plan;
    const hop = { target, method, headers: { ...plan.headers, ...further }, body };
    const count = { retries: 0, attempts: 0 };
    const endsAtMs = this.#settings.now() + timeoutMs;
    const limit = {
      timeoutMs,
      onTimeout: () => tookTooLong(target, timeoutMs),
      parent: signal,
      onAbort: () => aborted(target),
    };
    let close: (() => void) | undefined;
    try {
      if (this.#isClosed) throw aborted(target);
      return await withLimit(limit, (signal, end) => {
        const trip = { plan, signal, endsAtMs, count };
        close = () => end(aborted(target));
        this.#ends.add(close);
        return this.#follow(hop, trip);
      });
    } catch (error) {
      throw error instanceof OutboundError ? error.after({ attempts: count.attempts }) : error;
    } finally {
      if (close) this.#ends.delete(close);
    }
  }

  /** Waits for what others may wait for too, but not when the caller goes away or after close(). */
  async unlessGone<T>(
    target: Target,
    signal: AbortSignal | undefined,
    share: () => Promise<T>,
  ): Promise<T> {
    if (this.#isClosed || signal?.aborted) throw aborted(target);
    if (!signal) return share();
    try {
      return await unlessAborted(share(), signal);
    } catch (error) {
      throw signal.aborted ? aborted(target) : error;
    }
  }

  async #follow(start: Hop, trip: Trip): Promise<Found> {
    let hop = start;
    for (let redirects = 0; ; redirects += 1) {
      const reply = await this.#persist(hop, trip);
      if (reply.kind !== 'redirect') {
        return { ...reply, attempts: trip.count.attempts, isRedirected: redirects > 0 };
      }
      if (redirects === this.#settings.maxRedirects) {
        const message = `${start.target.host} redirected too often`;
        throw new OutboundError('too_many_redirects', message);
      }
      this.counts.redirected += 1;
      hop = nextHop(hop, reply, this.#parse);
    }
  }

  async #persist(hop: Hop, trip: Trip): Promise<Reply> {
    let failure: unknown;
    for (;;) {
      try {
        return await this.#attempt(hop, trip);
      } catch (error) {
        // A retry that is not let out says nothing of a call that was made.
        if (failure && isHeldBack(error)) throw failure;
        const delayMs = this.#retryDelayMs(error, hop, trip);
        if (delayMs === undefined) throw error;
        failure = error;
        trip.count.retries += 1;
        this.counts.retried += 1;
        await this.#settings.sleep(delayMs, trip.signal);
      }
    }
  }

  async #attempt(hop: Hop, trip: Trip): Promise<Reply> {
    const { target } = hop;
    const { plan, signal, count } = trip;
    // Judged before the queue, to fail at once, and after it, when more is known.
    this.breakers.check(target, plan);
    const release = await this.#place(target, trip);
    try {
      return await this.breakers.pass(target, plan, () => {
        count.attempts = count.retries + 1;
        const onTimeout = () => tookTooLong(target, plan.attemptMs, true);
        return withLimit({ timeoutMs: plan.attemptMs, onTimeout, parent: signal }, (signal, end) =>
          exchange(this.#wire, hop, plan, { retry: count.retries, signal, end }),
        );
      });
    } finally {
      release();
    }
  }

  async #place({ hostname, port, host }: Target, { plan, signal }: Trip): Promise<() => void> {
    const { caller: owner, maxPerHost: maxPerKey } = plan;
    try {
      return await this.#limiter.acquire(`${hostname}:${port}`, { owner, signal, maxPerKey });
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      throw new OutboundError('overloaded', `Too many calls wait; ${host} was not called`);
    }
  }

  #retryDelayMs(error: unknown, { method, target }: Hop, trip: Trip): number | undefined {
    if (!(error instanceof OutboundError) || !error.retryable || trip.signal.aborted) return;
    if (trip.count.retries >= trip.plan.retries || !isIdempotent(method)) return;
    if (this.breakers.closedForMs(target, trip.plan) > 0) return;
    const { random, now } = this.#settings;
    // Jitter on top of Retry-After too: all who were told the same must not come back at once.
    const jitterMs = jitteredDelayMs({ ...BACKOFF, retry: trip.count.retries, random });
    const delayMs = jitterMs + (error.retryAfterMs ?? 0);
    return now() + delayMs < trip.endsAtMs ? delayMs : undefined;
  }
}

function isHeldBack(error: unknown): boolean {
  return error instanceof OutboundError && HELD_BACK.has(error.code);
}

function tookTooLong({ host }: Target, limitMs: number, retryable = false): OutboundError {
  return new OutboundError('timeout', `${host} took longer than ${limitMs} ms`, { retryable });
}

function aborted({ host }: Target): OutboundError {
  return new OutboundError('aborted', `The call to ${host} was aborted`);
}

// Any other header may be a secret.
const TOLD_TO_ANYONE: ReadonlySet<string> = new Set(['accept-language', 'user-agent']);
const OF_ONE_URL: ReadonlySet<string> = new Set(['if-modified-since', 'if-none-match']);

/**
 * Where a redirect leads. 303 turns into GET, as 301 and 302 do after POST; else method and
 * body stay (RFC 9110, 15.4). Secrets and a body never go to another origin. Throws
 * bad_redirect for an address that may not be called and for a body that would have to go there.
 */
function nextHop(
  hop: Hop,
  { status, location }: { readonly status: number; readonly location: string },
  parse: (url: string) => Target,
): Hop {
  const { host } = hop.target;
  const target = redirectTarget(location, hop.target, parse);
  const isAbroad = target.protocol !== hop.target.protocol || target.host !== host;
  const turnsToGet = becomesGet(hop.method, status);
  const body = turnsToGet ? undefined : hop.body;
  if (isAbroad && body !== undefined) {
    throw new OutboundError('bad_redirect', `${host} redirected a body to another origin`);
  }
  const headers = Object.entries(hop.headers).filter(
    ([name]) =>
      !OF_ONE_URL.has(name) &&
      !(turnsToGet && name.startsWith('content-')) &&
      (!isAbroad || TOLD_TO_ANYONE.has(name)),
  );
  const method = turnsToGet ? 'GET' : hop.method;
  return { target, method, body, headers: Object.fromEntries(headers) };
}

function becomesGet(method: OutboundMethod, status: number): boolean {
  if (status === 303) return method !== 'HEAD';
  return (status === 301 || status === 302) && method === 'POST';
}

/** The text of a header whose bytes fetch read as Latin-1: UTF-8 where they are, as browsers read it. */
function fromHeaderBytes(value: string): string {
  if (!/[\u0080-\u00ff]/.test(value)) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

function redirectTarget(location: string, from: Target, parse: (url: string) => Target): Target {
  try {
    return parse(new URL(fromHeaderBytes(location), from.href).href);
  } catch (cause) {
    const message = `${from.host} redirected to a URL that may not be called`;
    throw new OutboundError('bad_redirect', message, { cause });
  }
}
