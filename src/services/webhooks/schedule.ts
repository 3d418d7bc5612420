import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../utils/time/units.ts';

/** The delays between attempts, as Standard Webhooks recommends: more than three days in all. */
const DELAYS_MS = [
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  DAY_MS,
];
/** The most that a receiver can delay an attempt. */
const MAX_RETRY_AFTER_MS = DAY_MS;
/** The share of a delay that is added at random, so that retries do not arrive at once. */
const JITTER = 0.25;

export interface Retry {
  /** Attempts so far, at least 1. */
  attempts: number;
  retryAfterMs: number | undefined;
  /** Returns a number from 0 to below 1. */
  random: () => number;
}

/** Returns the delay before the next attempt; undefined after the last one. */
export function retryDelayMs({ attempts, retryAfterMs = 0, random }: Retry): number | undefined {
  const baseMs = DELAYS_MS[attempts - 1];
  if (baseMs === undefined) return undefined;
  const delayMs = Math.max(baseMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
  return Math.round(delayMs * (1 + JITTER * random()));
}
