import { withLimit } from '../utils/abort.ts';
import { jitteredDelayMs } from '../utils/backoff.ts';
import { KeyedLimiter, QueueFullError } from '../utils/keyed-limiter.ts';
import type { Target } from './address.ts';
import { HttpBreakers } from './http-breaker.ts';
import { type Answer, exchange, type Reply, type Wire } from './http-exchange.ts';
import type { Settings } from './http-options.ts';
import { type Hop, nextHop } from './http-redirect.ts';
import { isIdempotent, type Plan } from './http-request.ts';
import { HttpSessions } from './http-sessions.ts';
import { OutboundError } from './outbound-error.ts';

/** What a call brought home. */
export type Found = (
  | ({ readonly kind: 'answer' } & Answer)
  | { readonly kind: 'not_modified'; readonly headers: Headers }
) & { readonly attempts: number; readonly isRedirected: boolean };

const BACKOFF = { baseMs: 200, maxMs: 2_000 };

/** How far one call is. */
interface Trip {
  readonly plan: Plan;
  readonly signal: AbortSignal;
  readonly endsAtMs: number;
  retries: number;
  attempts: number;
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
  readonly #closing = new AbortController();

  constructor(settings: Settings, parse: (url: string) => Target) {
    const { fetch, lookup, maxInFlight, maxPerHost, maxQueued, now, version } = settings;
    this.#settings = settings;
    this.#parse = parse;
    this.breakers = new HttpBreakers(now);
    this.#sessions = new HttpSessions(maxPerHost, settings.ca);
    this.#limiter = new KeyedLimiter({ maxTotal: maxInFlight, maxPerKey: maxPerHost, maxQueued });
    this.#wire = { fetch, lookup, now, userAgent: `hutch/${version}`, sessions: this.#sessions };
  }

  get load(): { readonly inFlight: number; readonly queued: number } {
    return { inFlight: this.#limiter.active, queued: this.#limiter.queued };
  }

  close(): void {
    this.#closing.abort();
    this.#sessions.close();
  }

  /** Carries one call out, with further headers such as validators. Throws OutboundError. */
  async go(plan: Plan, further: Readonly<Record<string, string>> = {}): Promise<Found> {
    const { target, method, body, timeoutMs } = plan;
    const headers = { ...plan.headers, ...further };
    const trip = { plan, endsAtMs: this.#settings.now() + timeoutMs, retries: 0, attempts: 0 };
    try {
      return await this.within(plan, (signal) => {
        const started: Trip = Object.assign(trip, { signal });
        return this.#follow({ target, method, headers, body }, started);
      });
    } catch (error) {
      throw error instanceof OutboundError ? error.after({ attempts: trip.attempts }) : error;
    }
  }

  /** Runs a task within the deadline of a call, until its caller goes away or close(). */
  within<T>(
    { target, timeoutMs, signal }: Plan,
    task: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limit = {
      timeoutMs,
      onTimeout: () => tookTooLong(target, timeoutMs),
      parents: [this.#closing.signal, signal],
      onAbort: () => new OutboundError('aborted', `The call to ${target.host} was aborted`),
    };
    return withLimit(limit, task);
  }

  async #follow(start: Hop, trip: Trip): Promise<Found> {
    let hop = start;
    for (let redirects = 0; ; redirects += 1) {
      const reply = await this.#persist(hop, trip);
      if (reply.kind !== 'redirect') {
        return { ...reply, attempts: trip.attempts, isRedirected: redirects > 0 };
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
    for (;;) {
      try {
        return await this.#attempt(hop, trip);
      } catch (error) {
        const delayMs = this.#retryDelayMs(error, hop, trip);
        if (delayMs === undefined) throw error;
        trip.retries += 1;
        this.counts.retried += 1;
        await this.#settings.sleep(delayMs, trip.signal);
      }
    }
  }

  async #attempt(hop: Hop, trip: Trip): Promise<Reply> {
    const { target } = hop;
    const { plan, signal, retries } = trip;
    // Judged before the queue, to fail at once, and after it, when more is known.
    this.breakers.check(target, plan.breaker);
    const release = await this.#place(target, trip);
    try {
      return await this.breakers.pass(target, plan.breaker, () => {
        trip.attempts = retries + 1;
        const onTimeout = () => tookTooLong(target, plan.attemptMs, true);
        return withLimit(
          { timeoutMs: plan.attemptMs, onTimeout, parents: [signal] },
          (signal, end) => exchange(this.#wire, hop, plan, { retry: retries, signal, end }),
        );
      });
    } finally {
      release();
    }
  }

  async #place({ hostname, port, host }: Target, { plan, signal }: Trip): Promise<() => void> {
    try {
      return await this.#limiter.acquire(`${hostname}:${port}`, signal, plan.maxPerHost);
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      throw new OutboundError('overloaded', `Too many calls wait; ${host} was not called`);
    }
  }

  #retryDelayMs(error: unknown, { method, target }: Hop, trip: Trip): number | undefined {
    if (!(error instanceof OutboundError) || !error.retryable || trip.signal.aborted) return;
    if (trip.retries >= trip.plan.retries || !isIdempotent(method)) return;
    if (this.breakers.closedForMs(target, trip.plan.breaker) > 0) return;
    const { random, now } = this.#settings;
    // Jitter on top of Retry-After too: all who were told the same must not come back at once.
    const jitterMs = jitteredDelayMs({ ...BACKOFF, retry: trip.retries, random });
    const delayMs = jitterMs + (error.retryAfterMs ?? 0);
    return now() + delayMs < trip.endsAtMs ? delayMs : undefined;
  }
}

function tookTooLong({ host }: Target, limitMs: number, retryable = false): OutboundError {
  return new OutboundError('timeout', `${host} took longer than ${limitMs} ms`, { retryable });
}
