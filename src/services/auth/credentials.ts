import { type AnyActor, actorFor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import type { User } from '../../models/users.ts';
import { otherPasswordKinds } from '../accounts/password.ts';
import type { Users } from '../accounts/users.ts';
import type { Audit } from '../audit/audit.ts';
import type { Devices } from './devices.ts';
import type { Attempt, SignInThrottle } from './throttle.ts';
import type { Totps } from './totp.ts';

export interface CredentialsDeps {
  db: Db;
  users: Users;
  totps: Totps;
  devices: Devices;
  passwords: PasswordHasher;
  throttle: SignInThrottle;
  audit: Audit;
}

export interface Credentials {
  /** An email address or username. */
  login: string;
  password: string;
  /** An authenticator code or a recovery code. */
  code?: string;
  /** Device tokens and session tokens that the client has. */
  proofs?: readonly string[];
}

interface VerifiedCredentials {
  user: User;
  /** True if a second factor was part of the credentials. */
  secondFactor: boolean;
}

/**
 * Returns the active account that the credentials belong to. Throws bad_credentials,
 * too_many_requests, overloaded and, only for a right password, inactive_user and
 * second_factor_required. An unknown login takes as long as a wrong password.
 */
export async function verifyCredentials(
  deps: CredentialsDeps,
  actor: AnyActor,
  credentials: Credentials,
): Promise<VerifiedCredentials> {
  const { login, proofs = [] } = credentials;
  const user = await deps.users.findByLogin(login);
  const { address } = actor.origin;
  const attempt = await deps.throttle.begin(
    await deps.devices.guesser(user, { login, proofs, address }),
  );
  try {
    return await verifyAttempt(deps, actor, user, credentials, attempt);
  } finally {
    attempt.end();
  }
}

async function verifyAttempt(
  deps: CredentialsDeps,
  actor: AnyActor,
  user: User | undefined,
  { password, code }: Credentials,
  attempt: Attempt,
): Promise<VerifiedCredentials> {
  const { users, passwords, totps } = deps;
  const kinds = await otherPasswordKinds(deps.db.read);
  const isRight = await passwords.verify(password, user?.password_hash ?? undefined, kinds);
  if (!isRight || !user) {
    await recordFailure(deps, actor, user, attempt);
    throw new AppError('bad_credentials', 'Incorrect email or password');
  }
  if (!user.is_active) throw new AppError('inactive_user', 'Inactive user');
  // Before the failures are cleared, so that codes are limited at the same rate as passwords.
  const secondFactor = await totps
    .check(actorFor(user, actor.origin), code)
    .catch(async (error) => {
      if (isBadCredentials(error)) await recordFailure(deps, actor, user, attempt);
      throw error;
    });
  await attempt.succeed();
  if (user.password_hash && passwords.isWeak(user.password_hash)) {
    await users.renewHash(user.id, user.password_hash, password);
  }
  return { user, secondFactor };
}

/** Writes the same for an unknown account, so that response times do not reveal which ones exist. */
async function recordFailure(
  { db, audit }: CredentialsDeps,
  actor: AnyActor,
  user: User | undefined,
  attempt: Attempt,
): Promise<void> {
  const user_id = user?.id ?? null;
  await db.write(async (tx) => {
    await audit.record(tx, actor, { action: 'session.refused', user_id });
    await attempt.fail(tx);
  });
}

function isBadCredentials(error: unknown): boolean {
  return error instanceof AppError && error.code === 'bad_credentials';
}
