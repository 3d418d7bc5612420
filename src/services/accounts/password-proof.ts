import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import type { User } from '../../models/index.ts';
import type { SignInThrottle } from '../auth/throttle.ts';

export interface PasswordProofDeps {
  db: Db;
  passwords: PasswordHasher;
  throttle: SignInThrottle;
}

/**
 * The hash that `password` made, for whoever holds `bucket`: a session or a mailed link. Guesses
 * are limited as at sign-in, apart from those of strangers. Throws bad_credentials with `refusal`,
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
