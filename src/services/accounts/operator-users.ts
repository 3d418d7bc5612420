import { and, count, eq, isNotNull, max } from 'drizzle-orm';
import { SYSTEM } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { Cursors } from '../../core/security/cursors.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import {
  accessTokens,
  accountUsage,
  identities,
  passkeys,
  sessions,
  totps,
  type User,
  users,
} from '../../models/index.ts';
import type { AuditAction } from '../audit/audit.ts';
import type { ActionTokens } from '../auth/action-tokens.ts';
import type { Devices } from '../auth/devices.ts';
import type { SignInThrottle } from '../auth/throttle.ts';
import type { Notices } from '../mail/notices.ts';
import { linkBase, resetLink } from '../mail/templates.ts';
import { type AdminUsersDeps, updateAccount } from './admin.ts';
import type { UserListQuery } from './filters.ts';
import { type Account, type AccountPage, account, listUsers } from './list.ts';
import { refuseWeak } from './password-policy.ts';
import { userById } from './queries.ts';

export interface OperatorUsersDeps
  extends Pick<
    AdminUsersDeps,
    'db' | 'users' | 'sessions' | 'accessTokens' | 'accessChanges' | 'audit' | 'now'
  > {
  cursors: Cursors;
  turns: FairTurns;
  passwords: PasswordHasher;
  actionTokens: ActionTokens;
  devices: Devices;
  throttle: Pick<SignInThrottle, 'forget'>;
  notices: Notices;
  config: { publicUrl: string; host: string };
  /** The port that links lead to. */
  listening: { port: number };
}

/** An account with what belongs to it. */
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

/** What stands in the details of an audit entry that the command line causes. */
const BY_OPERATOR = { by: 'operator' };

/** What the operator does to accounts on the command line. */
export const createOperatorUsers = (deps: OperatorUsersDeps) => ({
  /** A page of accounts. Throws invalid_cursor. */
  list: (query: UserListQuery): Promise<AccountPage> => listUsers(deps, query),

  /**
   * The account with this id, email or username. Throws not_found, and conflict if the text is the
   * id of one account and the username of another.
   */
  get: (name: string): Promise<User> => getUser(deps, name),

  details: (user: User): Promise<AccountDetails> => detailsOf(deps, user),

  /**
   * Deactivates an account, which ends all its sessions and tokens, or activates it. Throws conflict
   * for the last active admin.
   */
  setActive: (user: User, is_active: boolean): Promise<Account> =>
    updateAccount(deps, SYSTEM, user.id, { is_active }, BY_OPERATOR),

  /**
   * Ends all sessions and tokens of an account and returns a link that sets a new password, once,
   * within 30 minutes. Until then the old password stays.
   */
  resetByLink: (user: User): Promise<string> => resetByLink(deps, user),

  /**
   * Sets a new password, ends all sessions, tokens and device tokens, and forgets failed sign-ins.
   * Throws weak_password, overloaded.
   */
  setPassword: (user: User, password: string): Promise<void> => setPassword(deps, user, password),
});

async function getUser({ db, users: accounts }: OperatorUsersDeps, name: string): Promise<User> {
  const byName = await accounts.findByLogin(name);
  const [byId] = /^\d{1,15}$/.test(name) ? await userById(db.read, { id: Number(name) }) : [];
  if (byId && byName && byId.id !== byName.id) {
    throw new AppError('conflict', `${name} is an id and a username: give the email`);
  }
  const user = byId ?? byName;
  if (!user) throw new AppError('not_found', `There is no account ${name}`);
  return user;
}

async function detailsOf({ db }: OperatorUsersDeps, user: User): Promise<AccountDetails> {
  const { orm } = db.read;
  const { id } = user;
  const [session] = await orm
    .select({ n: count(), last: max(sessions.last_used_at) })
    .from(sessions)
    .where(eq(sessions.user_id, id));
  const [token] = await orm
    .select({ n: count() })
    .from(accessTokens)
    .where(eq(accessTokens.user_id, id));
  const [passkey] = await orm.select({ n: count() }).from(passkeys).where(eq(passkeys.user_id, id));
  const isConfirmed = and(eq(totps.user_id, id), isNotNull(totps.confirmed_at));
  const [totp] = await orm.select({ n: count() }).from(totps).where(isConfirmed);
  const linked = await orm
    .select({ provider: identities.provider })
    .from(identities)
    .where(eq(identities.user_id, id));
  const [usage] = await orm.select().from(accountUsage).where(eq(accountUsage.user_id, id));
  return {
    ...account(user),
    last_used_at: session?.last ?? null,
    sessions: session?.n ?? 0,
    tokens: token?.n ?? 0,
    passkeys: passkey?.n ?? 0,
    has_authenticator: (totp?.n ?? 0) > 0,
    providers: linked.map(({ provider }) => provider),
    items: usage?.items ?? 0,
    bytes: usage?.bytes ?? 0,
  };
}

async function resetByLink(deps: OperatorUsersDeps, { id, email }: User): Promise<string> {
  const { db, actionTokens, config, listening } = deps;
  const token = await db.write(async (tx) => {
    await endAll(deps, tx, id, 'password.reset_asked');
    return actionTokens.issue(tx, { user_id: id, purpose: 'reset_password', email });
  });
  return resetLink(linkBase({ ...config, ...listening }), token);
}

async function setPassword(deps: OperatorUsersDeps, user: User, password: string): Promise<void> {
  const { db, passwords, actionTokens, devices, throttle, notices, now } = deps;
  const { id } = user;
  refuseWeak(password, user);
  const password_hash = await passwords.hash(password);
  await db.write(async (tx) => {
    const set = { password_hash, updated_at: now().toISOString() };
    await tx.orm.update(users).set(set).where(eq(users.id, id));
    await endAll(deps, tx, id, 'password.changed');
    await actionTokens.revoke(tx, id, ['reset_password']);
    await notices.send(tx, id, 'password.changed');
    await throttle.forget(tx, id);
    await devices.forget(tx, id);
  });
}

/** Ends all sessions and tokens of an account because of `action`, which is recorded. */
async function endAll(
  { sessions: all, accessTokens: tokens, audit }: OperatorUsersDeps,
  tx: Tx,
  user_id: number,
  action: AuditAction,
): Promise<void> {
  const ended = await all.endAll(tx, user_id);
  await tokens.endAll(tx, user_id);
  const details = { ...BY_OPERATOR, ended };
  await audit.record(tx, SYSTEM, { action, user_id, details });
}
