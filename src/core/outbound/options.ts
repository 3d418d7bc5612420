import { sleep } from '../../utils/async/abort.ts';
import { type BreakerOptions, DEFAULT_BREAKER } from './breaker.ts';
import { createLookup, type Lookup } from './lookup.ts';

/** The used part of Bun's fetch. */
export type FetchFunction = (url: string, init: BunFetchRequestInit) => Promise<Response>;

/** The options of an outbound client. All but the version have a default. */
export interface OutboundOptions {
  /** Sent as the User-Agent `hutch/<version>`. */
  readonly version: string;
  /**
   * Hosts (`host` or `host:port`) that may be private and use any port; `any` if only the operator
   * chooses URLs. Default: none.
   */
  readonly allowHosts?: readonly string[] | 'any';
  /** If not empty, the only other hosts (`host` or `host:port`) that may be called. Default: empty. */
  readonly onlyHosts?: readonly string[];
  /** Covers a whole call: queue, DNS, connect, redirects, retries and body. Default 10,000. */
  readonly deadlineMs?: number;
  /** Covers one request of a call, from DNS to the end of the body. Default 5,000. */
  readonly attemptMs?: number;
  /** Covers establishing a connection, which only Linux reports. Default 3,000. */
  readonly connectMs?: number;
  /** Retries of one call after transient failures. Default 1. */
  readonly retries?: number;
  /** Redirects followed in one call. Default 3. */
  readonly maxRedirects?: number;
  /** Concurrent requests, at most those of Bun's fetch (`fetchLimit`). Default 256. */
  readonly maxInFlight?: number;
  /** Concurrent requests to one host and port. Default 32. */
  readonly maxPerHost?: number;
  /** Requests that may wait for a place. Default 4,096. */
  readonly maxQueued?: number;
  /** Maximum size of a body, both as sent and decompressed. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Default: DEFAULT_BREAKER. */
  readonly breaker?: BreakerOptions | false;
  /** Maximum number of cached responses. Default 1,000. */
  readonly cacheEntries?: number;
  /** Maximum size of all cached responses. Default 32 MiB. */
  readonly cacheBytes?: number;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string;
  readonly fetch?: FetchFunction;
  readonly lookup?: Lookup;
  readonly sleep?: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** Returns a number from 0 up to 1. */
  readonly random?: () => number;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number;
  /** Milliseconds since the epoch, for Retry-After dates. */
  readonly date?: () => number;
}

/** A single caller gets three quarters of a host's places, which leaves some for others. */
export const OWNER_SHARE_OF_HOST = 3;

export type Settings = Required<Omit<OutboundOptions, 'ca'>> & Pick<OutboundOptions, 'ca'>;

/** Adds the defaults. Throws RangeError if a limit is below 1. */
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
    breaker: DEFAULT_BREAKER,
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
