import { eq } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Session as DbSession } from '../../core/db/db.ts';
import { uniqueViolation } from '../../core/db/storage-error.ts';
import { AppError } from '../../core/exceptions.ts';
import { type User, users } from '../../models/index.ts';
import { nameKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import { MINUTE_MS } from '../../utils/time/units.ts';
import type { Audit } from '../audit/audit.ts';
import type { AccessTokens } from '../auth/access-tokens.ts';
import type { Devices } from '../auth/devices.ts';
import type { Sessions } from '../auth/sessions.ts';
import { sessionBucket } from '../auth/throttle.ts';
import type { Notices } from '../mail/notices.ts';
import { refuseForeignAddress, usernameTaken } from './new-account.ts';
import { type OwnAccount, ownAccount } from './own-account.ts';
import { refuseWeak } from './password-policy.ts';
import { type PasswordProofDeps, provePassword } from './password-proof.ts';
import { userById } from './queries.ts';
import type { AccountRemoval } from './removal.ts';

export interface AccountDeps extends PasswordProofDeps {
  audit: Audit;
  removal: AccountRemoval;
  sessions: Sessions;
  accessTokens: AccessTokens;
  devices: Devices;
  notices: Notices;
  now(): Date;
}

/** How long a second factor that was proved stands for the password: 10 minutes. */
const PROOF_MS = 10 * MINUTE_MS;

/** What an account can do to itself. */
export const createAccount = (deps: AccountDeps) => ({
  get: async (actor: Actor): Promise<OwnAccount> => ownAccount(await getUser(deps, actor.id)),

  /**
   * The account itself, once its password is given. Throws bad_credentials, too_many_requests,
   * overloaded.
   */
  prove: (actor: Actor, password: string): Promise<User> => prove(deps, actor, password),

  /**
   * Proves that the caller owns the account: by the password, by a second factor that this session
   * proved within the last 10 minutes or, for an account without a password, by having signed in
   * within them. Throws bad_credentials for a wrong password, proof_required, too_many_requests.
   */
  proveRecently: (actor: Actor, password: string | undefined): Promise<void> =>
    proveRecently(deps, actor, password),

  /** Throws username_taken, and validation_failed for an address other than the own one. */
  rename: (actor: Actor, username: string): Promise<OwnAccount> => rename(deps, actor, username),

  /**
   * Sets a new password and keeps this session; the other sessions, all personal access tokens and
   * all device tokens end. Returns a new device token. Throws bad_credentials for a wrong current password,
   * weak_password, overloaded.
   */
  changePassword: (actor: Actor, current: string, next: string): Promise<string> =>
    changePassword(deps, actor, current, next),

  /** Deletes the account and everything that belongs to it. Throws bad_credentials, conflict, overloaded. */
  remove: (actor: Actor, password: string): Promise<void> => remove(deps, actor, password),
});

const getUser = ({ db }: AccountDeps, id: number): Promise<User> => userOf(db.read, id);

async function userOf(session: DbSession, id: number): Promise<User> {
  const [user] = await userById(session, { id });
  if (!user) throw new AppError('not_found', 'User not found');
  return user;
}

async function rename({ db, audit, now }: AccountDeps, actor: Actor, name: string) {
  const { id } = actor;
  const username = tidy(name);
  const set = { username, username_key: nameKey(username), updated_at: now().toISOString() };
  try {
    return await db.write(async (tx) => {
      refuseForeignAddress({ email: (await userOf(tx, id)).email, username });
      const [user] = await tx.orm.update(users).set(set).where(eq(users.id, id)).returning();
      await audit.own(tx, actor, 'user.updated', { fields: ['username'] });
      return ownAccount(user as User);
    });
  } catch (error) {
    throw uniqueViolation(error) === 'users.username_key' ? usernameTaken() : error;
  }
}

async function changePassword(
  deps: AccountDeps,
  actor: Actor,
  current: string,
  next: string,
): Promise<string> {
  const { db, passwords, sessions, accessTokens, devices, audit, notices, now } = deps;
  refuseWeak(next, await prove(deps, actor, current), 'new_password');
  const password_hash = await passwords.hash(next);
  return db.write(async (tx) => {
    const set = { password_hash, updated_at: now().toISOString() };
    await tx.orm.update(users).set(set).where(eq(users.id, actor.id));
    const ended = await sessions.endAll(tx, actor.id, actor.session?.id);
    await accessTokens.endAll(tx, actor.id);
    await audit.own(tx, actor, 'password.changed', { ended });
    await notices.send(tx, actor.id, 'password.changed');
    await devices.forget(tx, actor.id);
    return devices.issue(tx, actor.id);
  });
}

async function proveRecently(
  deps: AccountDeps,
  actor: Actor,
  password: string | undefined,
): Promise<void> {
  if (password !== undefined) {
    await prove(deps, actor, password);
    return;
  }
  const since = new Date(deps.now().getTime() - PROOF_MS).toISOString();
  if ((actor.session?.second_factor_at ?? '') > since) return;
  const { password_hash } = await getUser(deps, actor.id);
  const openedAt = (await deps.sessions.openedAt(actor.session?.id)) ?? '';
  if (password_hash === null && openedAt > since) return;
  throw new AppError('proof_required', 'Give the password, or sign in again with a second factor');
}

async function remove(deps: AccountDeps, actor: Actor, password: string) {
  const user = await prove(deps, actor, password);
  await deps.db.write((tx) => deps.removal.begin(tx, actor, user));
}

/** Whoever holds a stolen session must not guess the password with it, nor shut others out. */
async function prove(deps: AccountDeps, actor: Actor, password: string): Promise<User> {
  const user = await getUser(deps, actor.id);
  const bucket = sessionBucket(actor.session?.id ?? 0);
  await provePassword(deps, user, password, { bucket, refusal: 'The current password is wrong' });
  return user;
}
