import { isMediaType } from '../../utils/http/media-type.ts';
import type { Target } from './address.ts';
import type { BreakerOptions } from './breaker.ts';
import { FIRST_RETRANSMISSION_MS } from './connect.ts';
import { OutboundError } from './errors.ts';
import type { Settings } from './options.ts';

export type OutboundMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface OutboundCaching {
  /** Separates the responses of different users; without it they are shared, and `private` ones are not stored. */
  readonly key?: string | undefined;
  /** A fixed time to live that overrides the headers of the response; without it RFC 9111 decides. */
  readonly ttlMs?: number | undefined;
  /** The time for which a stale response may be served during revalidation or if that fails. */
  readonly staleMs?: number | undefined;
  /** Revalidates a response even while it is fresh, and caches the result. */
  readonly renew?: boolean | undefined;
}

/** One external call. Omitted members have the default of the client. */
export interface OutboundRequest {
  readonly url: string;
  /** Default GET. */
  readonly method?: OutboundMethod | undefined;
  /** A redirect to another origin forwards only accept-language and user-agent. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as application/json unless `headers` set a type. Not allowed with GET and HEAD. */
  readonly body?: string | undefined;
  /**
   * Accepted media types; one JSON type accepts all JSON types. Default: JSON with any type, because
   * hosts of raw files label it as text/plain or not at all.
   */
  readonly accept?: readonly string[] | undefined;
  /** Accepted statuses in addition to 200 to 299; redirects are not allowed. */
  readonly statuses?: readonly number[] | undefined;
  /** Covers the whole call: queue, DNS, connect, redirects, retries and body. */
  readonly timeoutMs?: number | undefined;
  /**
   * Covers resolving the name, and again establishing a connection; the latter gets at least 1,200 ms.
   * Only Linux reports connections: elsewhere `headerTimeoutMs` applies.
   */
  readonly connectTimeoutMs?: number | undefined;
  /** Covers connecting to the end of the headers, in addition to `connectTimeoutMs`. */
  readonly headerTimeoutMs?: number | undefined;
  /** Maximum size of the body, both as sent and decompressed. */
  readonly maxBytes?: number | undefined;
  /** True if only the status matters: the body is not read, whatever its type. */
  readonly ignoresBody?: boolean | undefined;
  /** Redirects that are followed. */
  readonly maxRedirects?: number | undefined;
  /** Concurrent requests to the host and port, including those of other callers. */
  readonly maxPerHost?: number | undefined;
  /** Retries after transient failures; POST and PATCH are never retried. */
  readonly retries?: number | undefined;
  readonly breaker?: BreakerOptions | false | undefined;
  /**
   * The party on whose behalf the call is sent, unless its context names a caller. Parties share
   * lookups, places and the queue fairly, and each owner has its own circuits.
   */
  readonly owner?: string | undefined;
  /** Applies to GET and HEAD. Default: no caching. */
  readonly cache?: OutboundCaching | false | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OutboundResponse {
  /** 200 to 299 or one of the request's `statuses`. */
  readonly status: number;
  /** The type in lower case, without parameters; empty if the response has none. */
  readonly mediaType: string;
  /** Parsed JSON, the text of another type, or null without a body. Other callers may share it: do not change it. */
  readonly data: unknown;
  readonly cache: 'miss' | 'hit' | 'stale' | 'revalidated' | 'off';
  /** Whole seconds since the host generated the response. */
  readonly ageSeconds: number;
  readonly elapsedMs: number;
  /** 1 plus the retries; 0 if nothing was sent. */
  readonly attempts: number;
}

/** A validated request with all defaults. */
export interface Plan {
  readonly target: Target;
  readonly method: OutboundMethod;
  /** Names in lower case, sorted. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Undefined: JSON with any type. */
  readonly accept: readonly string[] | undefined;
  readonly statuses: readonly number[];
  readonly timeoutMs: number;
  readonly attemptMs: number;
  readonly connectMs: number;
  readonly dialMs: number;
  readonly headerMs: number;
  readonly maxBytes: number;
  readonly ignoresBody: boolean;
  readonly maxRedirects: number;
  readonly maxPerHost: number;
  readonly retries: number;
  readonly breaker: BreakerOptions | false;
  readonly owner: string | undefined;
  /** The party that places are counted for: the client behind the call, or the owner. */
  readonly caller: string | undefined;
  readonly cache: OutboundCaching | false;
  readonly signal: AbortSignal | undefined;
}

/** The limit of common servers, in bytes. */
const MAX_HEADER_LENGTH = 8_192;

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// Visible ASCII, spaces, tabs and the bytes above (RFC 9110, 5.5).
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** Headers of the framing, the connection or the cache, which callers may not set. */
const RESERVED: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'keep-alive',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/** A plan that uses the cache. */
export type CacheablePlan = Plan & { readonly cache: OutboundCaching };

export function isCacheable(plan: Plan): plan is CacheablePlan {
  return plan.cache !== false;
}

const SAFE: ReadonlySet<OutboundMethod> = new Set(['GET', 'HEAD']);
const IDEMPOTENT: ReadonlySet<OutboundMethod> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

/** Returns true if a request may be repeated after it may have had an effect (RFC 9110, 9.2.2). */
export function isIdempotent(method: OutboundMethod): boolean {
  return IDEMPOTENT.has(method);
}

/** A connection is late only after a retransmission, for which the kernel gets 200 ms. */
const MIN_DIAL_MS = FIRST_RETRANSMISSION_MS + 200;

/** Validates a request and adds the defaults. Throws url_refused or request_refused. */
export function planRequest(
  request: OutboundRequest,
  settings: Settings,
  parse: (url: string) => Target,
): Plan {
  const { url, method = 'GET', signal, body } = request;
  const target = parse(url);
  const isSafe = SAFE.has(method);
  if (isSafe && body !== undefined) throw refused(`${method} must not have a body`);
  return {
    target,
    method,
    headers: checkedHeaders(request.headers ?? {}, body !== undefined),
    body,
    accept: request.accept && checkedTypes(request.accept),
    statuses: request.statuses ?? [],
    ignoresBody: request.ignoresBody ?? false,
    ...limitsOf(request, settings),
    breaker: request.breaker ?? settings.breaker,
    owner: request.owner,
    caller: request.owner,
    cache: isSafe ? (request.cache ?? false) : false,
    signal,
  };
}

function limitsOf(request: OutboundRequest, settings: Settings) {
  const timeoutMs = request.timeoutMs ?? settings.deadlineMs;
  const retries = isIdempotent(request.method ?? 'GET') ? (request.retries ?? settings.retries) : 0;
  // A timeout of the request is split evenly among its attempts.
  const attemptMs = request.timeoutMs ? timeoutMs / (retries + 1) : settings.attemptMs;
  const connectMs = request.connectTimeoutMs ?? attemptMs;
  const dialMs = Math.max(request.connectTimeoutMs ?? settings.connectMs, MIN_DIAL_MS);
  return {
    timeoutMs,
    attemptMs,
    connectMs,
    dialMs,
    headerMs: connectMs + (request.headerTimeoutMs ?? attemptMs),
    maxBytes: request.maxBytes ?? settings.maxBytes,
    maxRedirects: request.maxRedirects ?? settings.maxRedirects,
    maxPerHost: request.maxPerHost ?? settings.maxPerHost,
    retries,
  };
}

function checkedTypes(types: readonly string[]): string[] {
  const accepted = types.map((type) => type.trim().toLowerCase());
  if (accepted.length > 0 && accepted.every(isMediaType)) return accepted;
  throw refused('accept must list valid media types');
}

/**
 * Returns the headers of a request, with sorted names in lower case and a type if there is a body.
 * Throws request_refused for an invalid name or value, a reserved name, a duplicate name, and more
 * than 8,192 characters in total.
 */
export function checkedHeaders(
  headers: Readonly<Record<string, string>>,
  hasBody: boolean,
): Record<string, string> {
  const entries = Object.entries(headers).map(checkedHeader);
  const checked = Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  if (Object.keys(checked).length < entries.length) throw refused('A header occurs twice');
  const length = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (length > MAX_HEADER_LENGTH) throw refused(`The headers are over ${MAX_HEADER_LENGTH} bytes`);
  return hasBody ? { 'content-type': 'application/json', ...checked } : checked;
}

// Messages omit values, which may be secret, and invalid names, which may be anything.
function checkedHeader([rawName, value]: [string, string]): [string, string] {
  const name = rawName.toLowerCase();
  if (!NAME.test(name)) throw refused('A header has an invalid name');
  if (RESERVED.has(name) || name.startsWith('proxy-')) {
    throw refused(`The header ${name} may not be set`);
  }
  if (!VALUE.test(value)) throw refused(`The header ${name} has invalid characters`);
  return [name, value.trim()];
}

function refused(message: string): OutboundError {
  return new OutboundError('request_refused', message);
}
