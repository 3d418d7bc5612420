import type { Found } from './calls.ts';
import {
  type Freshness,
  freshnessOf,
  type KeptHeaders,
  keptHeaders,
  validatorsOf,
} from './freshness.ts';
import type { CachedPlan } from './request.ts';

/** An answer, as it is kept. */
export interface Entry {
  readonly status: number;
  readonly mediaType: string;
  readonly data: unknown;
  readonly bytes: number;
  readonly headers: KeptHeaders;
  /** Undefined when it must not be kept. */
  readonly freshness: Freshness | undefined;
  readonly madeAtMs: number;
}

/** What there is of an entry before it is judged how long it holds. */
export type NewEntry = Omit<Entry, 'freshness' | 'madeAtMs'>;

export function entryOf(found: Found & { readonly kind: 'answer' }): NewEntry {
  const { status, mediaType, data, bytes } = found;
  return { status, mediaType, data, bytes, headers: keptHeaders(found.headers) };
}

/** The entry as it stands from now on, for as long as its source or its headers say. */
export function judgedEntry(
  plan: CachedPlan,
  entry: NewEntry,
  { isRedirected }: Pick<Found, 'isRedirected'>,
  nowMs: number,
): Entry {
  // The redirect itself says nothing of how long it holds, unless the source fixed that.
  const isKeepable = entry.status === 200 && (!isRedirected || plan.cache.ttlMs !== undefined);
  const headers = isRedirected ? {} : entry.headers;
  const freshness = isKeepable ? freshnessOf(plan, plan.cache, headers) : undefined;
  return { ...entry, headers, freshness, madeAtMs: nowMs - (freshness?.ageMs ?? 0) };
}

/** Whether an entry can ever be served, or confirmed. */
export function isOfUse({ freshness, headers }: Entry): boolean {
  if (!freshness) return false;
  const { freshMs, whileRevalidatingMs, ifErrorMs } = freshness;
  const isValidatable = Object.keys(validatorsOf(headers)).length > 0;
  return isValidatable || freshMs + whileRevalidatingMs + ifErrorMs > 0;
}

/** Its size in bytes, nearly: the body as it was sent, and what is kept beside it. */
export function sizeOf({ bytes, headers }: Entry, key: string): number {
  let size = bytes + key.length;
  for (const name in headers) size += name.length + (headers[name] ?? '').length;
  return size;
}

// All that is sent is part of the key, so an answer that varies with it needs no second key,
// and one that was given to a secret is never found without it. So are the limits of the call:
// who joins it is held to his own.
/** Hashed: headers and queries hold secrets, which need not stand in memory for as long. */
export function keyOf(plan: CachedPlan): string {
  const { cache, method, target, accept, headers, timeoutMs, maxBytes } = plan;
  const { key, ttlMs, staleMs } = cache;
  const rules = [key, ttlMs, staleMs, timeoutMs, maxBytes];
  const text = JSON.stringify([...rules, method, target.href, accept, headers]);
  return Bun.SHA256.hash(text, 'base64url');
}
