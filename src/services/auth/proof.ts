import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import type { User } from '../../models/users.ts';
import { MINUTE_MS } from '../../utils/time/units.ts';
import { getUser } from '../accounts/rows.ts';
import type { Sessions } from './sessions.ts';
import { type SignInThrottle, sessionBucket } from './throttle.ts';

export interface PasswordProofDeps {
  db: Db;
  passwords: PasswordHasher;
  throttle: SignInThrottle;
}

export interface ProofDeps extends PasswordProofDeps {
  sessions: Pick<Sessions, 'openedAt'>;
  now(): Date;
}

export type Proof = ReturnType<typeof createProof>;

/** A proved second factor replaces the password for 10 minutes. */
const PROOF_MS = 10 * MINUTE_MS;

/** Proofs that the holder of a session owns the account: a stolen session alone is not enough. */
export function createProof(deps: ProofDeps) {
  const { db, sessions, now } = deps;

  /**
   * Returns the caller's account if `password` is right. Failures count per session, so a stolen
   * session cannot be used to guess the password or to lock its owner out. Throws bad_credentials,
   * too_many_requests, overloaded.
   */
  const prove = async (actor: Actor, password: string): Promise<User> => {
    const user = await getUser(db.read, actor.id);
    const bucket = sessionBucket(actor.session?.id ?? 0);
    await provePassword(deps, user, password, { bucket, refusal: 'The current password is wrong' });
    return user;
  };

  return {
    prove,

    /**
     * Accepts the password, a second factor that this session proved within the last 10 minutes or,
     * for an account without a password, a sign-in within them. Throws bad_credentials for a wrong
     * password, proof_required, too_many_requests, overloaded.
     */
    proveRecently: async (actor: Actor, password: string | undefined): Promise<void> => {
      if (password !== undefined) {
        await prove(actor, password);
        return;
      }
      const since = new Date(now().getTime() - PROOF_MS).toISOString();
      if ((actor.session?.second_factor_at ?? '') > since) return;
      const { password_hash } = await getUser(db.read, actor.id);
      const openedAt = (await sessions.openedAt(actor.session?.id)) ?? '';
      if (password_hash === null && openedAt > since) return;
      throw new AppError(
        'proof_required',
        'Enter the password, or sign in again with a second factor',
      );
    },
  };
}

/**
 * Returns the stored hash if `password` is right. Failures count only against `bucket`, that of the
 * session or mailed link, which the caller already holds. Unlike at sign-in, they do not count
 * against the client's address: strangers cannot reach this check, and failures on other accounts
 * behind one address must not block the owner. Throws bad_credentials with the message `refusal`,
 * too_many_requests, overloaded.
 */
export async function provePassword(
  { db, passwords, throttle }: PasswordProofDeps,
  { password_hash }: User,
  password: string,
  { bucket, refusal }: { bucket: string; refusal: string },
): Promise<string> {
  const attempt = await throttle.begin({ bucket, address: null });
  try {
    const isRight = await passwords.verify(password, password_hash ?? undefined);
    if (!isRight || !password_hash) {
      await db.write((tx) => attempt.fail(tx));
      throw new AppError('bad_credentials', refusal);
    }
    await attempt.succeed();
    return password_hash;
  } finally {
    attempt.end();
  }
}
