import { parseHttpDateMs } from '../http/date.ts';

export interface Backoff {
  /** Which retry this is: 0 for the first. */
  readonly retry: number;
  /** Upper end of the first wait, in milliseconds; it doubles with each retry. */
  readonly baseMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
  /** From 0 up to 1, as Math.random. */
  readonly random: () => number;
}

/** Exponential backoff with full jitter: anything from 0 to the bound, in milliseconds. */
export function jitteredDelayMs({ retry, baseMs, maxMs, random }: Backoff): number {
  return Math.floor(random() * Math.min(maxMs, baseMs * 2 ** retry));
}

/** A Retry-After header, seconds or a date, in milliseconds from now; undefined for nonsense. */
export function parseRetryAfterMs(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1_000;
  const atMs = parseHttpDateMs(text, nowMs);
  return atMs === undefined ? undefined : Math.max(0, atMs - nowMs);
}
