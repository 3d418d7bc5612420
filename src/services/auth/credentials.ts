import { type AnyActor, actorFor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import type { User } from '../../models/index.ts';
import { otherPasswordKinds } from '../accounts/queries.ts';
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

/** How an account proves itself; `code` is of its authenticator, or a recovery code. */
export interface Credentials {
  login: string;
  password: string;
  code?: string;
  /** Device tokens, and tokens of sessions, of whoever signs in. */
  proofs?: readonly string[];
}

interface Verified {
  user: User;
  secondFactor: boolean;
}

/**
 * The active account that the credentials prove, and whether a second factor was part of them. Throws bad_credentials, inactive_user and
 * second_factor_required (both only to whoever knows the password), too_many_requests and
 * overloaded. An unknown login takes as long as a wrong password.
 */
export async function verifyCredentials(
  deps: CredentialsDeps,
  actor: AnyActor,
  credentials: Credentials,
): Promise<Verified> {
  const { login, proofs = [] } = credentials;
  const user = await deps.users.findByLogin(login);
  const { address } = actor.origin;
  const attempt = await deps.throttle.begin(
    await deps.devices.guesser(user, { login, proofs, address }),
  );
  try {
    return await judge(deps, actor, user, credentials, attempt);
  } finally {
    attempt.end();
  }
}

async function judge(
  deps: CredentialsDeps,
  actor: AnyActor,
  user: User | undefined,
  { password, code }: Credentials,
  attempt: Attempt,
): Promise<Verified> {
  const { users, passwords, totps } = deps;
  const kinds = await otherPasswordKinds(deps.db.read);
  const isRight = await passwords.verify(password, user?.password_hash ?? undefined, kinds);
  if (!isRight || !user) {
    await noteRefusal(deps, actor, user, attempt);
    throw new AppError('bad_credentials', 'Incorrect email or password');
  }
  if (!user.is_active) throw new AppError('inactive_user', 'Inactive user');
  // Before the failures are forgotten: codes are guessed at no other rate than passwords.
  const secondFactor = await totps
    .require(actorFor(user, actor.origin), code)
    .catch(async (error) => {
      if (isRefusal(error)) await noteRefusal(deps, actor, user, attempt);
      throw error;
    });
  await attempt.succeed();
  if (user.password_hash && passwords.isWeak(user.password_hash)) {
    await users.renewHash(user.id, user.password_hash, password);
  }
  return { user, secondFactor };
}

/** Writes as much for an unknown account: what only known ones cost would tell them apart. */
async function noteRefusal(
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

function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.code === 'bad_credentials';
}
