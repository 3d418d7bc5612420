import type { RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';

/** The result of counting a request. */
export interface Count {
  isOver: boolean;
  remaining: number;
  /** Whole seconds until the window ends, at least 1. */
  resetSeconds: number;
}

/** A maximum per key and window. A window starts with its first request. */
export interface Limit {
  /** The name in responses. */
  name: string;
  max: number;
  windowSeconds: number;
  /** True if counts are in this process, so that `count` returns them synchronously. */
  isLocal: boolean;
  /** Adds `points`, by default 1, before the work starts. */
  count(key: string, points?: number): Count | Promise<Count>;
}

/** The limits of the settings, counted in this process. */
export function createLimits(config: {
  limitRequests: number;
  limitUserRequests: number;
  limitSignUps: number;
  limitExternal: number;
}) {
  return {
    requests: createLimit('api', config.limitRequests, 10),
    userRequests: createLimit('user', config.limitUserRequests, 10),
    signUps: createLimit('sign-ups', config.limitSignUps, 3600),
    external: createLimit('external', config.limitExternal, 60),
  };
}

/** Creates a limit counted in this process, or by `limiter` over Redis or PostgreSQL. */
export function createLimit(
  name: string,
  max: number,
  windowSeconds: number,
  limiter?: Pick<RateLimiterAbstract, 'penalty'>,
): Limit {
  const toCount = ({ consumedPoints, msBeforeNext }: Counted): Count => ({
    isOver: consumedPoints > max,
    remaining: Math.max(0, max - consumedPoints),
    resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)),
  });
  const countHere = createWindows(windowSeconds * 1000);
  return {
    name,
    max,
    windowSeconds,
    isLocal: limiter === undefined,
    count: limiter
      ? // `penalty` counts like `consume`, but does not reject.
        (key, points = 1) => limiter.penalty(key, points).then(toCount)
      : (key, points = 1) => toCount(countHere(key, points)),
  };
}

type Counted = Pick<RateLimiterRes, 'consumedPoints' | 'msBeforeNext'>;

/** Counts by key in windows of a monotonic clock. */
function createWindows(windowMs: number): (key: string, points: number) => Counted {
  // In the order of their ends, because all have the same length.
  const windows = new Map<string, { points: number; readonly endsAtMs: number }>();
  return (key, points) => {
    // Whole milliseconds, because the sum of fractions may be more than the window.
    const nowMs = Math.floor(performance.now());
    for (const [ended, { endsAtMs }] of windows) {
      if (endsAtMs > nowMs) break;
      windows.delete(ended);
    }
    const known = windows.get(key);
    const window = known ?? { points: 0, endsAtMs: nowMs + windowMs };
    if (!known) windows.set(key, window);
    window.points += points;
    return { consumedPoints: window.points, msBeforeNext: window.endsAtMs - nowMs };
  };
}
