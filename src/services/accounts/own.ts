import { eq } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db, Session as DbSession } from '../../core/db/db.ts';
import { uniqueViolation } from '../../core/db/storage-error.ts';
import { AppError } from '../../core/exceptions.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import { type User, users } from '../../models/index.ts';
import { nameKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import type { Audit } from '../audit/audit.ts';
import type { AccessTokens } from '../auth/access-tokens.ts';
import type { Devices } from '../auth/devices.ts';
import type { Proof } from '../auth/proof.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { Notices } from '../mail/notices.ts';
import { refuseForeignAddress, usernameTaken } from './new-account.ts';
import { type OwnAccount, ownAccount } from './own-account.ts';
import { refuseWeak } from './password-policy.ts';
import { userById } from './queries.ts';
import type { AccountRemoval } from './removal.ts';

export interface AccountDeps {
  db: Db;
  passwords: PasswordHasher;
  audit: Audit;
  removal: AccountRemoval;
  sessions: Sessions;
  accessTokens: AccessTokens;
  devices: Devices;
  notices: Notices;
  prove: Proof['prove'];
  now(): Date;
}

/** What an account can do to itself. */
export const createAccount = (deps: AccountDeps) => ({
  get: async (actor: Actor): Promise<OwnAccount> => ownAccount(await getUser(deps, actor.id)),

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
  refuseWeak(next, await deps.prove(actor, current), 'new_password');
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

async function remove(deps: AccountDeps, actor: Actor, password: string) {
  const user = await deps.prove(actor, password);
  await deps.db.write((tx) => deps.removal.begin(tx, actor, user));
}
