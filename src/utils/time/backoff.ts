import { parseHttpDateMs } from '../http/date.ts';

export interface Backoff {
  /** The number of the retry: 0 for the first. */
  readonly retry: number;
  /** Upper bound of the first delay, in milliseconds; it doubles with each retry. */
  readonly baseMs: number;
  /** The longest delay. */
  readonly maxMs: number;
  /** Returns a number from 0 up to 1, like Math.random. */
  readonly random: () => number;
}

/** Returns a delay in milliseconds: exponential backoff with full jitter, from 0 to the bound. */
export function jitteredDelayMs({ retry, baseMs, maxMs, random }: Backoff): number {
  return Math.floor(random() * Math.min(maxMs, baseMs * 2 ** retry));
}

/** Parses a Retry-After header, seconds or a date, into milliseconds from now; undefined if invalid. */
export function parseRetryAfterMs(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1_000;
  const atMs = parseHttpDateMs(text, nowMs);
  return atMs === undefined ? undefined : Math.max(0, atMs - nowMs);
}
