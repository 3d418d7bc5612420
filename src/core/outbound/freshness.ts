import CachePolicy from 'http-cache-semantics';
import { parseHttpDateMs } from '../../utils/http/date.ts';
import { partsOf, unquoted } from '../../utils/http/header-grammar.ts';
import type { OutboundCaching, Plan } from './request.ts';

/** The headers that determine caching; names in lower case. */
export type CacheHeaders = Readonly<Record<string, string>>;

/** The periods in which a response may be served. */
export interface Freshness {
  /** The Age header of the response. */
  readonly ageMs: number;
  /** The response is fresh below this age. */
  readonly freshMs: number;
  /** The time after that for which it may be served during revalidation. */
  readonly whileRevalidatingMs: number;
  /** The time after that for which it may be served if revalidation fails. */
  readonly ifErrorMs: number;
}

// The rest may be large or secret.
const CACHE_HEADERS = [
  'age',
  'cache-control',
  'date',
  'etag',
  'expires',
  'last-modified',
  'pragma',
  'vary',
];
const NEVER_STALE = /^(must-revalidate|no-cache)\b/;
const NEVER_STALE_SHARED = /^proxy-revalidate\b/;

/** Returns the headers that determine caching, of a response or a 304. */
export function cacheHeadersOf(headers: Headers): CacheHeaders {
  const stored = Object.fromEntries(
    CACHE_HEADERS.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, normalized(name, value)]];
    }),
  );
  // Only its presence matters, and a cookie may be secret.
  return headers.has('set-cookie') ? { ...stored, 'set-cookie': 'stored=no' } : stored;
}

/** Returns a value in the form that the library parses: directives in lower case, IMF dates. */
function normalized(name: string, value: string): string {
  if (name === 'cache-control') return value.toLowerCase();
  if (name !== 'date' && name !== 'expires') return value;
  const atMs = parseHttpDateMs(value, Date.now());
  return atMs === undefined ? value : new Date(atMs).toUTCString();
}

/**
 * Returns the freshness of a 200 with these headers: the fixed time to live of its source or that of
 * RFC 9111 and RFC 5861, without heuristics. Undefined if the response must not be stored.
 */
export function freshnessOf(
  { method, target, headers: sent }: Plan,
  caching: OutboundCaching,
  headers: CacheHeaders,
): Freshness | undefined {
  const { key, ttlMs, staleMs = 0 } = caching;
  if (ttlMs !== undefined) {
    return { ageMs: 0, freshMs: ttlMs, whileRevalidatingMs: staleMs, ifErrorMs: staleMs };
  }
  const isShared = key === undefined;
  const request = { method, url: target.href, headers: { ...sent } };
  const response = { status: 200, headers: { ...headers } };
  const noHeuristics = { cacheHeuristic: 0, immutableMinTimeToLive: 0 };
  const policy = new CachePolicy(request, response, { shared: isShared, ...noHeuristics });
  if (!policy.storable() || headers['vary']?.includes('*')) return undefined;
  return {
    ageMs: policy.age() * 1_000,
    freshMs: policy.maxAge() * 1_000,
    ...staleness(headers['cache-control'] ?? '', isShared, caching.staleMs),
  };
}

/** Returns the conditional headers that revalidate a response; empty if it has no validator. */
export function validatorsOf(headers: CacheHeaders): Record<string, string> {
  const { etag, 'last-modified': lastModified } = headers;
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  };
}

/** Returns true if a 304 confirms the cached response, by weak comparison of ETags. */
export function isSameVersion(cached: CacheHeaders, confirmed: CacheHeaders): boolean {
  const { etag } = confirmed;
  return etag === undefined || opaqueTag(etag) === opaqueTag(cached['etag'] ?? '');
}

function staleness(cacheControl: string, isShared: boolean, staleMs: number | undefined) {
  const directives = partsOf(cacheControl, ',');
  const isNeverStale = directives.some(
    (it) => NEVER_STALE.test(it) || (isShared && NEVER_STALE_SHARED.test(it)),
  );
  if (isNeverStale) return { whileRevalidatingMs: 0, ifErrorMs: 0 };
  return {
    whileRevalidatingMs: staleMs ?? secondsOf(directives, 'stale-while-revalidate') * 1_000,
    ifErrorMs: staleMs ?? secondsOf(directives, 'stale-if-error') * 1_000,
  };
}

function secondsOf(directives: readonly string[], name: string): number {
  const value = directives.find((it) => it.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  return Number(/^\d{1,9}/.exec(unquoted(value))?.[0] ?? 0);
}

function opaqueTag(etag: string): string {
  return etag.trim().replace(/^W\//, '');
}
