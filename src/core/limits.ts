import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  type RateLimiterRes,
} from 'rate-limiter-flexible';

/** What one count came to. */
export interface Count {
  isOver: boolean;
  remaining: number;
  /** Whole seconds until the window ends, at least 1. */
  resetSeconds: number;
}

/** How often each key may do a thing in a window, which begins with the first time. */
export interface Limit {
  /** As clients are told it. */
  name: string;
  max: number;
  windowSeconds: number;
  /** Whether counts come at once, because they are kept in this process. */
  isLocal: boolean;
  /** Counts one, or as many as `points`, before their work is begun. */
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

/** A limit; `limiter` may be any of rate-limiter-flexible, over Redis or PostgreSQL too. */
export function createLimit(
  name: string,
  max: number,
  windowSeconds: number,
  limiter: RateLimiterAbstract = new RateLimiterMemory({
    keyPrefix: name,
    points: max,
    duration: windowSeconds,
  }),
): Limit {
  const toCount = ({ consumedPoints, msBeforeNext }: RateLimiterRes): Count => ({
    isOver: consumedPoints > max,
    remaining: Math.max(0, max - consumedPoints),
    resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)),
  });
  return {
    name,
    max,
    windowSeconds,
    isLocal: limiter instanceof RateLimiterMemory,
    count: (key, points = 1) => {
      // `penalty` counts as `consume` does, and does not reject: what is known can be peeked at.
      const counted = Bun.peek(limiter.penalty(key, points));
      return counted instanceof Promise ? counted.then(toCount) : toCount(counted);
    },
  };
}
