import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { networkOf } from '../core/client-address.ts';
import { AppError } from '../core/exceptions.ts';
import { fold } from '../utils/fold.ts';

/** In which the free failures are counted, from the first one on. */
const WINDOW_SECONDS = 15 * 60;
/** The longest wait: an account is never locked for ever. */
const MAX_WAIT_SECONDS = 15 * 60;
/** Waits begin at 1 s again after this long without one. */
const FORGET_SECONDS = 24 * 3600;

/** An attempt that was counted before its work began. */
export interface Attempt {
  /** Takes the count back, and with it what the account had gathered. */
  succeeded(): Promise<void>;
}

export interface SignInThrottle {
  /**
   * Counts an attempt against the account and, apart from it, against the address. Throws
   * too_many_requests while either has to wait: after the last free failure 1 s, then one
   * attempt after each wait, which is twice as long as the one before.
   */
  begin(login: string, address: string | null): Promise<Attempt>;
}

/** For load tests, and for those who have a limit in front. */
export const noThrottle: SignInThrottle = { begin: async () => ({ succeeded: async () => {} }) };

/** The failures that are free, in 15 minutes, of one account and of one address. */
export function createSignInThrottle(free: {
  limitSignIns: number;
  limitSignInsAddress: number;
}): SignInThrottle {
  const accounts = createBucket('account', free.limitSignIns);
  const addresses = createBucket('address', free.limitSignInsAddress);
  return {
    begin: async (login, address) => {
      const account = fold(login);
      const network = address && networkOf(address);
      const ofAddress = network ? await addresses.count(network) : undefined;
      await accounts.count(account);
      return {
        succeeded: async () => {
          await accounts.forget(account);
          await ofAddress?.giveBack();
        },
      };
    },
  };
}

/** Either counter may be any limiter of rate-limiter-flexible: who is let in is one step of it. */
function createBucket(keyPrefix: string, free: number) {
  const attempts = createCounter(keyPrefix, WINDOW_SECONDS);
  const waits = createCounter(`${keyPrefix}_waits`, FORGET_SECONDS);

  /** After the last attempt that is let through, nobody is until the wait is over. */
  const close = async (key: string, admitted: number, waited: number) => {
    await attempts.set(key, admitted, Math.min(2 ** waited, MAX_WAIT_SECONDS));
    await waits.set(key, waited + 1, FORGET_SECONDS);
  };
  /** Takes the last close back; not one that another attempt made since. */
  const reopen = async (key: string, waited: number) => {
    if ((await waits.get(key))?.consumedPoints !== waited + 1) return;
    await waits.set(key, waited, FORGET_SECONDS);
    await attempts.set(key, waited > 0 ? 0 : free - 1, WINDOW_SECONDS);
  };

  return {
    count: async (key: string) => {
      const waited = (await waits.get(key))?.consumedPoints ?? 0;
      const admitted = waited > 0 ? 1 : free;
      const counted = await attempts.penalty(key);
      // Read again: who was let through last may have closed it since.
      if (counted.consumedPoints > admitted) throw tooMany((await attempts.get(key)) ?? counted);
      const isLast = counted.consumedPoints === admitted;
      if (isLast) await close(key, admitted, waited);
      const giveBack = async () => {
        if (isLast) await reopen(key, waited);
        else await attempts.reward(key);
      };
      return { giveBack };
    },
    forget: async (key: string) => {
      await attempts.delete(key);
      await waits.delete(key);
    },
  };
}

/** It counts; what is too many is decided above. */
function createCounter(keyPrefix: string, duration: number) {
  return new RateLimiterMemory({ keyPrefix, points: Number.MAX_SAFE_INTEGER, duration });
}

/** Does not tell which of the two buckets was full. */
function tooMany({ msBeforeNext }: RateLimiterRes): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
  return new AppError('too_many_requests', 'Too many attempts, try again later', {
    retryAfterSeconds,
  });
}
