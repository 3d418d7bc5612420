import { withLimit } from '../utils/abort.ts';
import { jitteredDelayMs } from '../utils/backoff.ts';
import { KeyedLimiter, QueueFullError } from '../utils/keyed-limiter.ts';
import { parseAllowList, parsePermitted, type Target } from './address.ts';
import { exchange, type Reply, type Wire } from './http-exchange.ts';
import { type OutboundOptions, withDefaults } from './http-options.ts';
import { HttpSessions } from './http-sessions.ts';
import { OutboundError, type OutboundErrorCode } from './outbound-error.ts';

export type { OutboundOptions } from './http-options.ts';

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
}

/** The one way out of the process to addresses that a client may choose. */
export interface Outbound {
  /**
   * GETs a URL and returns its JSON. Only public addresses are dialled, and those of the
   * allow-list. Throws OutboundError; `aborted` when the signal is aborted or after close().
   */
  getJson(url: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<unknown>;
  stats(): OutboundStats;
  /** Aborts what is under way, refuses what comes and closes idle connections. */
  close(): void;
}

/** Opens the way out; nothing is dialled before the first call. */
export function createOutbound(options: OutboundOptions): Outbound {
  return new HttpOutbound(options);
}

const BACKOFF = { baseMs: 200, maxMs: 2_000 };

interface Call {
  readonly signal: AbortSignal;
  readonly endsAtMs: number;
  retries: number;
}

class HttpOutbound implements Outbound {
  readonly #settings: ReturnType<typeof withDefaults>;
  readonly #parse: (url: string) => Target;
  readonly #wire: Wire;
  readonly #limiter: KeyedLimiter;
  readonly #sessions: HttpSessions;
  readonly #closing = new AbortController();
  readonly #counts = { started: 0, succeeded: 0, retried: 0, redirected: 0 };
  readonly #failed: Partial<Record<OutboundErrorCode, number>> = {};

  constructor(options: OutboundOptions) {
    const settings = withDefaults(options);
    const { fetch, lookup, maxBytes, maxInFlight, maxPerHost, maxQueued } = settings;
    this.#settings = settings;
    const allow = parseAllowList(settings.allowHosts);
    const only = parseAllowList(settings.onlyHosts);
    this.#parse = (url) => parsePermitted(url, allow, only);
    this.#sessions = new HttpSessions(maxPerHost, settings.ca);
    this.#limiter = new KeyedLimiter({ maxTotal: maxInFlight, maxPerKey: maxPerHost, maxQueued });
    const userAgent = `hutch/${settings.version}`;
    this.#wire = { fetch, lookup, maxBytes, userAgent, sessions: this.#sessions };
  }

  async getJson(url: string, { signal }: { signal?: AbortSignal | undefined } = {}) {
    this.#counts.started += 1;
    try {
      const data = await this.#call(this.#parse(url), signal);
      this.#counts.succeeded += 1;
      return data;
    } catch (error) {
      if (error instanceof OutboundError) this.#countFailure(error.code);
      throw error;
    }
  }

  stats(): OutboundStats {
    const { active, queued } = this.#limiter;
    return { inFlight: active, queued, ...this.#counts, failed: { ...this.#failed } };
  }

  close(): void {
    this.#closing.abort();
    this.#sessions.close();
  }

  #call(target: Target, signal: AbortSignal | undefined): Promise<unknown> {
    const { deadlineMs, now } = this.#settings;
    const limit = {
      timeoutMs: deadlineMs,
      onTimeout: () => tookTooLong(target, deadlineMs),
      parents: [this.#closing.signal, signal],
      onAbort: () => new OutboundError('aborted', `The call to ${target.host} was aborted`),
    };
    const endsAtMs = now() + deadlineMs;
    return withLimit(limit, (signal) => this.#follow(target, { signal, endsAtMs, retries: 0 }));
  }

  async #follow(start: Target, call: Call): Promise<unknown> {
    let target = start;
    for (let redirects = 0; ; redirects += 1) {
      const reply = await this.#persist(target, call);
      if ('data' in reply) return reply.data;
      if (redirects === this.#settings.maxRedirects) {
        throw new OutboundError('too_many_redirects', `${start.host} redirected too often`);
      }
      this.#counts.redirected += 1;
      target = redirectTarget(reply.location, target, this.#parse);
    }
  }

  async #persist(target: Target, call: Call): Promise<Reply> {
    for (;;) {
      try {
        return await this.#attempt(target, call);
      } catch (error) {
        const delayMs = this.#retryDelayMs(error, call);
        if (delayMs === undefined) throw error;
        call.retries += 1;
        this.#counts.retried += 1;
        await this.#settings.sleep(delayMs, call.signal);
      }
    }
  }

  async #attempt(target: Target, { signal, retries }: Call): Promise<Reply> {
    const { attemptMs } = this.#settings;
    const release = await this.#place(target, signal);
    try {
      const onTimeout = () => tookTooLong(target, attemptMs, true);
      return await withLimit({ timeoutMs: attemptMs, onTimeout, parents: [signal] }, (signal) =>
        exchange(this.#wire, target, retries, signal),
      );
    } finally {
      release();
    }
  }

  async #place({ hostname, port, host }: Target, signal: AbortSignal): Promise<() => void> {
    try {
      return await this.#limiter.acquire(`${hostname}:${port}`, signal);
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      throw new OutboundError('overloaded', `Too many calls wait; ${host} was not called`);
    }
  }

  #retryDelayMs(error: unknown, call: Call): number | undefined {
    if (!(error instanceof OutboundError) || !error.retryable || call.signal.aborted) return;
    if (call.retries >= this.#settings.retries) return;
    const { random, now } = this.#settings;
    const jitterMs = jitteredDelayMs({ ...BACKOFF, retry: call.retries, random });
    const delayMs = Math.max(jitterMs, error.retryAfterMs ?? 0);
    return now() + delayMs < call.endsAtMs ? delayMs : undefined;
  }

  #countFailure(code: OutboundErrorCode): void {
    this.#failed[code] = (this.#failed[code] ?? 0) + 1;
  }
}

function redirectTarget(location: string, from: Target, parse: (url: string) => Target): Target {
  try {
    return parse(new URL(location, from.href).href);
  } catch (cause) {
    const message = `${from.host} redirected to a URL that may not be called`;
    throw new OutboundError('bad_redirect', message, { cause });
  }
}

function tookTooLong({ host }: Target, limitMs: number, retryable = false): OutboundError {
  return new OutboundError('timeout', `${host} took longer than ${limitMs} ms`, { retryable });
}
