import { and, eq, isNotNull, max } from 'drizzle-orm';
import { SYSTEM } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError, StartupError } from '../../core/exceptions.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { Links } from '../../core/links.ts';
import type { Log } from '../../core/log.ts';
import type { Cursors } from '../../core/security/cursors.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import { accessTokens } from '../../models/access-tokens.ts';
import { identities } from '../../models/identities.ts';
import { passkeys } from '../../models/passkeys.ts';
import { sessions } from '../../models/sessions.ts';
import { totps } from '../../models/totp.ts';
import { accountUsage, type User } from '../../models/users.ts';
import { nameKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import type { AuditAction } from '../audit/audit.ts';
import { type ActionTokens, PURPOSES } from '../auth/action-tokens.ts';
import type { Devices } from '../auth/devices.ts';
import { endSignInMethods } from '../auth/sign-in-methods.ts';
import type { SignInThrottle } from '../auth/throttle.ts';
import type { Notices } from '../mail/notices.ts';
import { type Account, account } from './account.ts';
import { type AccountPage, listUsers } from './admin.ts';
import type { UserListQuery } from './filters.ts';
import { refuseWeak, weaknessOf } from './password.ts';
import {
  findUser,
  isTakenError,
  type NewAccount,
  refuseForeignAddress,
  rethrowTaken,
  updateUser,
} from './rows.ts';
import { type AccountUpdateDeps, updateAccount } from './update.ts';
import type { Users } from './users.ts';

export interface OperatorDeps extends AccountUpdateDeps {
  users: Users;
  cursors: Cursors;
  turns: FairTurns;
  passwords: PasswordHasher;
  actionTokens: ActionTokens;
  devices: Devices;
  throttle: Pick<SignInThrottle, 'forget'>;
  notices: Notices;
  log: Log;
  links: Pick<Links, 'resetPassword'>;
}

/** An account with the ways to sign in to it and its use of storage. */
export interface AccountDetails extends Account {
  last_used_at: string | null;
  sessions: number;
  tokens: number;
  passkeys: number;
  has_authenticator: boolean;
  providers: string[];
  items: number;
  bytes: number;
}

/** The changes to an account that becomes an admin. Without a username the old one stays. */
export interface Promotion {
  password: string;
  username?: string;
}

/** Marks audit entries of the command line. */
const BY_OPERATOR = { by: 'operator' };

/** Operations on accounts by the operator: on the command line or through settings. */
export const createOperator = (deps: OperatorDeps) => ({
  /**
   * Creates the first admin from the settings. An account that has its email or username stays
   * unchanged, because anyone may have created it; the log says why the settings had no effect.
   * Throws StartupError for a weak password.
   */
  ensureAdmin: async (admin: NewAccount): Promise<void> => {
    const sameEmail = await deps.users.findByEmail(admin.email);
    if (sameEmail) return logNoEffect(deps, sameEmail, 'HUTCH_ADMIN_EMAIL');
    const weakness = weaknessOf(admin.password, admin);
    if (weakness !== undefined) throw new StartupError(`First admin: ${weakness}`);
    try {
      const { id, username } = await deps.users.create(admin, { role: 'admin' });
      deps.log.info('Created the first admin.', { id, username });
    } catch (error) {
      const holder = await deps.users.findByLogin(admin.username);
      if (!isTakenError(error) || !holder) throw error;
      logNoEffect(deps, holder, 'HUTCH_ADMIN_USERNAME');
    }
  },

  /**
   * Promotes an account to an active admin with a new password. All other credentials end, because
   * the account may have been created by someone else: sessions, tokens, passkeys, authenticator,
   * linked sign-ins and mailed links. Throws conflict if the account has changed since it was read,
   * validation_failed for a username that is another address, username_taken, overloaded.
   */
  promote: (user: User, promotion: Promotion): Promise<User> => promote(deps, user, promotion),

  /** Returns a page of accounts. Throws invalid_cursor. */
  list: (query: UserListQuery): Promise<AccountPage> => listUsers(deps, query),

  /**
   * Returns the account with this id, email or username. Throws not_found, and conflict if the
   * text is the id of one account and the username of another.
   */
  get: async (name: string): Promise<User> => {
    const byName = await deps.users.findByLogin(name);
    const byId = /^\d{1,15}$/.test(name) ? await findUser(deps.db.read, Number(name)) : undefined;
    if (byId && byName && byId.id !== byName.id) {
      throw new AppError('conflict', `${name} is an id and a username: use the email`);
    }
    const user = byId ?? byName;
    if (!user) throw new AppError('not_found', `There is no account ${name}`);
    return user;
  },

  details: (user: User): Promise<AccountDetails> => detailsOf(deps, user),

  /**
   * Activates an account, or deactivates it and ends all its sessions and tokens. Throws conflict
   * for the last active admin.
   */
  setActive: (user: User, is_active: boolean): Promise<Account> =>
    updateAccount(deps, SYSTEM, user.id, { is_active }, BY_OPERATOR),

  /**
   * Ends all sessions and tokens of an account and returns a link that sets a new password, once,
   * within 30 minutes. Until then the old password stays valid.
   */
  resetByLink: async ({ id, email }: User): Promise<string> => {
    const token = await deps.db.write(async (tx) => {
      await endAll(deps, tx, id, 'password.reset_asked');
      return deps.actionTokens.issue(tx, { user_id: id, purpose: 'reset_password', email });
    });
    return deps.links.resetPassword(token);
  },

  /**
   * Sets a new password, ends all sessions, tokens and device tokens, and forgets failed sign-ins.
   * Throws weak_password, overloaded.
   */
  setPassword: (user: User, password: string): Promise<void> => setPassword(deps, user, password),
});

/** `setting` names the value that the account shares with the first admin. */
function logNoEffect({ log }: OperatorDeps, user: User, setting: string): void {
  const { id, username, role, is_active, created_at } = user;
  const email_verified = user.email_verified_at !== null;
  const fields = { setting, id, username, role, is_active, email_verified, created_at };
  if (setting === 'HUTCH_ADMIN_USERNAME') {
    log.warn('HUTCH_ADMIN_* had no effect: another account has the username.', fields);
  } else if (role === 'admin' && is_active) {
    log.info('HUTCH_ADMIN_* had no effect: the account is already an admin.', fields);
  } else {
    const message =
      'HUTCH_ADMIN_* had no effect: the account with this email is not an active admin';
    log.warn(`${message}; if it is yours, run hutch admin create --promote.`, fields);
  }
}

async function promote(
  deps: OperatorDeps,
  { id, email, email_key }: User,
  { password, username: newName }: Promotion,
): Promise<User> {
  const { db, passwords, throttle, audit, actionTokens, notices, now } = deps;
  const username = newName === undefined ? undefined : tidy(newName);
  if (username !== undefined) refuseForeignAddress({ email, username });
  const password_hash = await passwords.hash(password);
  const write = db.write(async (tx) => {
    if ((await findUser(tx, id))?.email_key !== email_key) {
      throw new AppError('conflict', 'The account was changed in the meantime');
    }
    const user = await updateUser(tx, id, {
      ...(username !== undefined && { username, username_key: nameKey(username) }),
      role: 'admin',
      is_active: true,
      password_hash,
      updated_at: now().toISOString(),
    });
    await endSignInMethods(deps, tx, id);
    await actionTokens.revoke(tx, id, PURPOSES);
    await throttle.forget(tx, id);
    const details = { role: 'admin' };
    await audit.record(tx, SYSTEM, { action: 'user.role_changed', user_id: id, details });
    await audit.record(tx, SYSTEM, { action: 'password.changed', user_id: id });
    await notices.send(tx, id, 'password.changed');
    return user;
  });
  return write.catch(rethrowTaken);
}

async function detailsOf({ db }: OperatorDeps, user: User): Promise<AccountDetails> {
  const { orm } = db.read;
  const { id } = user;
  const [session] = await orm
    .select({ last: max(sessions.last_used_at) })
    .from(sessions)
    .where(eq(sessions.user_id, id));
  const isConfirmed = and(eq(totps.user_id, id), isNotNull(totps.confirmed_at));
  const linked = await orm
    .select({ provider: identities.provider })
    .from(identities)
    .where(eq(identities.user_id, id));
  const [usage] = await orm.select().from(accountUsage).where(eq(accountUsage.user_id, id));
  return {
    ...account(user),
    last_used_at: session?.last ?? null,
    sessions: await orm.$count(sessions, eq(sessions.user_id, id)),
    tokens: await orm.$count(accessTokens, eq(accessTokens.user_id, id)),
    passkeys: await orm.$count(passkeys, eq(passkeys.user_id, id)),
    has_authenticator: (await orm.$count(totps, isConfirmed)) > 0,
    providers: linked.map(({ provider }) => provider),
    items: usage?.items ?? 0,
    bytes: usage?.bytes ?? 0,
  };
}

async function setPassword(deps: OperatorDeps, user: User, password: string): Promise<void> {
  const { db, passwords, actionTokens, devices, throttle, notices, now } = deps;
  const { id } = user;
  refuseWeak(password, user);
  const password_hash = await passwords.hash(password);
  await db.write(async (tx) => {
    await updateUser(tx, id, { password_hash, updated_at: now().toISOString() });
    await endAll(deps, tx, id, 'password.changed');
    await actionTokens.revoke(tx, id, ['reset_password']);
    await notices.send(tx, id, 'password.changed');
    await throttle.forget(tx, id);
    await devices.forget(tx, id);
  });
}

/** Ends all sessions and tokens of an account and records `action` as the reason. */
async function endAll(
  { sessions: all, accessTokens: tokens, audit }: OperatorDeps,
  tx: Tx,
  user_id: number,
  action: AuditAction,
): Promise<void> {
  const ended = await all.endAll(tx, user_id);
  await tokens.endAll(tx, user_id);
  const details = { ...BY_OPERATOR, ended };
  await audit.record(tx, SYSTEM, { action, user_id, details });
}
