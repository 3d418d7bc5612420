import CachePolicy from 'http-cache-semantics';
import { parseHttpDateMs } from '../../utils/http/date.ts';
import { partsOf, unquoted } from '../../utils/http/header-grammar.ts';
import type { OutboundCaching, Plan } from './request.ts';

/** The headers of an answer, in lower case. */
export type KeptHeaders = Readonly<Record<string, string>>;

/** How long an answer may be served, in milliseconds of its age. */
export interface Freshness {
  /** What its Age header said when it came. */
  readonly ageMs: number;
  /** Below this age it is fresh. */
  readonly freshMs: number;
  /** How long after that it may be served while it is fetched anew. */
  readonly whileRevalidatingMs: number;
  /** How long after that it may be served when that fails. */
  readonly ifErrorMs: number;
}

// What caching needs of an answer, 304 included; the rest may be large or secret.
const KEPT = ['age', 'cache-control', 'date', 'etag', 'expires', 'last-modified', 'pragma', 'vary'];
const NEVER_STALE = /^(must-revalidate|no-cache)\b/;
const NEVER_STALE_SHARED = /^proxy-revalidate\b/;

/** The headers of an answer that are kept with it. */
export function keptHeaders(headers: Headers): KeptHeaders {
  const kept = Object.fromEntries(
    KEPT.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, plainValue(name, value)]];
    }),
  );
  // That there was one counts, not what it was.
  return headers.has('set-cookie') ? { ...kept, 'set-cookie': 'kept=no' } : kept;
}

/** A value as the library reads it: directives in lower case, dates in one form. */
function plainValue(name: string, value: string): string {
  if (name === 'cache-control') return value.toLowerCase();
  if (name !== 'date' && name !== 'expires') return value;
  const atMs = parseHttpDateMs(value, Date.now());
  return atMs === undefined ? value : new Date(atMs).toUTCString();
}

/**
 * How long a 200 with these headers may be served to this call: as long as its source fixed,
 * or by RFC 9111 and RFC 5861, without a heuristic. Undefined when it must not be kept.
 */
export function freshnessOf(
  { method, target, headers: sent }: Plan,
  caching: OutboundCaching,
  headers: KeptHeaders,
): Freshness | undefined {
  const { key, ttlMs, staleMs = 0 } = caching;
  if (ttlMs !== undefined) {
    return { ageMs: 0, freshMs: ttlMs, whileRevalidatingMs: staleMs, ifErrorMs: staleMs };
  }
  const isShared = key === undefined;
  const request = { method, url: target.href, headers: { ...sent } };
  const response = { status: 200, headers: { ...headers } };
  const noGuess = { cacheHeuristic: 0, immutableMinTimeToLive: 0 };
  const policy = new CachePolicy(request, response, { shared: isShared, ...noGuess });
  if (!policy.storable() || headers['vary']?.includes('*')) return undefined;
  return {
    ageMs: policy.age() * 1_000,
    freshMs: policy.maxAge() * 1_000,
    ...staleness(headers['cache-control'] ?? '', isShared, caching.staleMs),
  };
}

/** The headers that ask whether an answer still holds; none if it cannot be asked. */
export function validatorsOf(headers: KeptHeaders): Record<string, string> {
  const { etag, 'last-modified': lastModified } = headers;
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  };
}

/** Whether a 304 is about the answer that is kept, by weak comparison. */
export function isSameVersion(kept: KeptHeaders, confirmed: KeptHeaders): boolean {
  const { etag } = confirmed;
  return etag === undefined || strip(etag) === strip(kept['etag'] ?? '');
}

function staleness(cacheControl: string, isShared: boolean, staleMs: number | undefined) {
  const directives = partsOf(cacheControl, ',');
  const mayNot = directives.some(
    (it) => NEVER_STALE.test(it) || (isShared && NEVER_STALE_SHARED.test(it)),
  );
  if (mayNot) return { whileRevalidatingMs: 0, ifErrorMs: 0 };
  return {
    whileRevalidatingMs: staleMs ?? secondsOf(directives, 'stale-while-revalidate') * 1_000,
    ifErrorMs: staleMs ?? secondsOf(directives, 'stale-if-error') * 1_000,
  };
}

function secondsOf(directives: readonly string[], name: string): number {
  const value = directives.find((it) => it.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  return Number(/^\d{1,9}/.exec(unquoted(value))?.[0] ?? 0);
}

function strip(etag: string): string {
  return etag.trim().replace(/^W\//, '');
}
