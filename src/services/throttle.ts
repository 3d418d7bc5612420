import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { networkOf } from '../core/client-address.ts';
import { AppError } from '../core/exceptions.ts';
import { fold } from '../utils/fold.ts';

/** Attempts to sign in that are free, of one account and of one address, in 15 minutes. */
const ACCOUNT_ATTEMPTS = 5;
const ADDRESS_ATTEMPTS = 50;
const WINDOW_SECONDS = 15 * 60;
/** The longest wait: an account is never locked for ever. */
const MAX_WAIT_SECONDS = 15 * 60;
const FORGET_SECONDS = 24 * 3600;

/** An attempt that was counted before its work began. */
export interface Attempt {
  /** Takes the count back, and with it what the account had gathered. */
  succeeded(): Promise<void>;
}

export interface SignInThrottle {
  /**
   * Counts an attempt against the account and, apart from it, against the address. Throws
   * too_many_requests while either has to wait: 1 s after its free attempts, then doubling.
   */
  begin(login: string, address: string | null): Promise<Attempt>;
}

/** For load tests, and for those who have a limit in front. */
export const noThrottle: SignInThrottle = { begin: async () => ({ succeeded: async () => {} }) };

export function createSignInThrottle(): SignInThrottle {
  const accounts = createBucket('account', ACCOUNT_ATTEMPTS);
  const addresses = createBucket('address', ADDRESS_ATTEMPTS);
  return {
    begin: async (login, address) => {
      const account = fold(login);
      const network = address && networkOf(address);
      if (network) await addresses.count(network);
      await accounts.count(account);
      return {
        succeeded: async () => {
          await accounts.forget(account);
          if (network) await addresses.giveBack(network);
        },
      };
    },
  };
}

function createBucket(keyPrefix: string, points: number) {
  const attempts = new RateLimiterMemory({ keyPrefix, points, duration: WINDOW_SECONDS });
  const waits = new RateLimiterMemory({
    keyPrefix: `${keyPrefix}_waits`,
    points: Number.MAX_SAFE_INTEGER,
    duration: FORGET_SECONDS,
  });
  return {
    count: async (key: string): Promise<void> => {
      const { refused } = await consume(attempts, key);
      if (!refused) return;
      // The first refusal sets the wait; those that come during it only learn of it.
      if (refused.consumedPoints === points + 1) {
        const { consumedPoints } = await waits.consume(key);
        const seconds = Math.min(2 ** (consumedPoints - 1), MAX_WAIT_SECONDS);
        throw tooMany((await attempts.block(key, seconds)).msBeforeNext);
      }
      throw tooMany(refused.msBeforeNext);
    },
    giveBack: async (key: string) => void (await attempts.reward(key, 1)),
    forget: async (key: string) => {
      await attempts.delete(key);
      await waits.delete(key);
    },
  };
}

async function consume(limiter: RateLimiterMemory, key: string) {
  try {
    await limiter.consume(key);
    return { refused: undefined };
  } catch (error) {
    if (error instanceof RateLimiterRes) return { refused: error };
    throw error;
  }
}

/** Does not tell which of the two buckets was full. */
function tooMany(waitMs: number): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new AppError('too_many_requests', 'Too many attempts, try again later', {
    retryAfterSeconds,
  });
}
