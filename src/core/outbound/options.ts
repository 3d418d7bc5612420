import { sleep } from '../../utils/async/abort.ts';
import type { BreakerOptions } from './breaker.ts';
import { createLookup, type Lookup } from './lookup.ts';

/** The part of Bun's fetch that is used. */
export type FetchFunction = (url: string, init: BunFetchRequestInit) => Promise<Response>;

/** The settings of the one way out. Everything but the version has a default. */
export interface OutboundOptions {
  /** For the User-Agent: `hutch/<version>`. */
  readonly version: string;
  /**
   * Hosts (`host` or `host:port`) that may be private and on any port; `any` where the operator
   * alone names them. Default: none.
   */
  readonly allowHosts?: readonly string[] | 'any';
  /** Where there are any, the only hosts (`host` or `host:port`) beside those. Default: none. */
  readonly onlyHosts?: readonly string[];
  /** For a whole call: queue, DNS, connect, redirects, retries and body. Default 10,000. */
  readonly deadlineMs?: number;
  /** For one request within a call, from DNS to the end of its body. Default 5,000. */
  readonly attemptMs?: number;
  /** For a connection to stand, as far as the system tells. Default 3,000. */
  readonly connectMs?: number;
  /** Further requests after a transient failure, in one call. Default 1. */
  readonly retries?: number;
  /** Redirects followed in one call. Default 3. */
  readonly maxRedirects?: number;
  /** Requests at once, no more than Bun's fetch makes (`fetchLimit`). Default 256. */
  readonly maxInFlight?: number;
  /** Requests at once to one host and port. Default 32. */
  readonly maxPerHost?: number;
  /** Requests that may wait for a place. Default 4,096. */
  readonly maxQueued?: number;
  /** Largest body, as sent and decompressed. Default 1 MiB. */
  readonly maxBytes?: number;
  /** When a failing host is left alone. Default: after 5 failures, for 30 seconds. */
  readonly breaker?: BreakerOptions | false;
  /** Answers kept at most. Default 1,000. */
  readonly cacheEntries?: number;
  /** Bytes of kept answers, by the length of their bodies. Default 32 MiB. */
  readonly cacheBytes?: number;
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string;
  readonly fetch?: FetchFunction;
  readonly lookup?: Lookup;
  readonly sleep?: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /** Milliseconds of a clock that is never put back. Default `performance.now`. */
  readonly now?: () => number;
  /** Milliseconds since the epoch: a Retry-After may be a date. */
  readonly date?: () => number;
}

/** One caller takes three quarters of a host's places, so that the next one finds some free. */
export const OWNER_SHARE_OF_HOST = 3;

export type Settings = Required<Omit<OutboundOptions, 'ca'>> & Pick<OutboundOptions, 'ca'>;

/** Fills in the defaults. Throws a RangeError for limits that could never work. */
export function withDefaults(options: OutboundOptions): Settings {
  const settings = {
    allowHosts: [],
    onlyHosts: [],
    deadlineMs: 10_000,
    attemptMs: 5_000,
    connectMs: 3_000,
    retries: 1,
    maxRedirects: 3,
    maxInFlight: 256,
    maxPerHost: 32,
    maxQueued: 4_096,
    maxBytes: 1_048_576,
    breaker: { failures: 5, openMs: 30_000 },
    cacheEntries: 1_000,
    cacheBytes: 33_554_432,
    fetch,
    sleep,
    random: Math.random,
    now: () => performance.now(),
    date: Date.now,
    ...options,
    lookup: options.lookup ?? createLookup(),
  };
  if (settings.maxInFlight < 1) throw new RangeError('maxInFlight must be at least 1');
  if (settings.maxPerHost < 1) throw new RangeError('maxPerHost must be at least 1');
  return settings;
}
