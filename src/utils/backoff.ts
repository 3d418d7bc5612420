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

/** A Retry-After header of whole seconds, in milliseconds; undefined for a date or nonsense. */
export function parseRetryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1_000 : undefined;
}
