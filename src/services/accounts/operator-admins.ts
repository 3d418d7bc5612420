import { and, eq } from 'drizzle-orm';
import { SYSTEM } from '../../core/actor.ts';
import { AppError, StartupError } from '../../core/exceptions.ts';
import type { Log } from '../../core/log.ts';
import { type User, users as usersTable } from '../../models/index.ts';
import { nameKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import type { Audit } from '../audit/audit.ts';
import { type ActionTokens, PURPOSES } from '../auth/action-tokens.ts';
import { endWaysIn } from '../auth/ways-in.ts';
import type { EmailFlowDeps } from '../email/flow-deps.ts';
import type { Notices } from '../mail/notices.ts';
import { isTakenError, type NewAccount, refuseForeignAddress, takenError } from './new-account.ts';
import { weaknessOf } from './password-policy.ts';
import type { Users } from './users.ts';

export interface OperatorAdminsDeps
  extends Pick<EmailFlowDeps, 'db' | 'passwords' | 'throttle' | 'accessChanges' | 'now'> {
  users: Users;
  audit: Audit;
  actionTokens: ActionTokens;
  notices: Notices;
  log: Log;
}

/** Admins that the operator makes: by the settings or on the command line. */
export const createOperatorAdmins = (deps: OperatorAdminsDeps) => ({
  /**
   * Makes the first admin of the settings. An account that has its email or username is never
   * changed, because anyone may have made it: the log says why the settings had no effect.
   * Throws StartupError for a weak password.
   */
  ensureFirst: (account: NewAccount): Promise<void> => ensureFirst(deps, account),

  /**
   * Makes an account an active admin with a new password. Every other way into it ends, since
   * whoever made the account may not be its owner: sessions, tokens, passkeys, authenticator,
   * linked sign-ins and mailed links. Throws conflict if the account was changed since it was
   * read, validation_failed for a username that is another address, username_taken, overloaded.
   */
  promote: (user: User, changes: Promotion): Promise<User> => promote(deps, user, changes),
});

/** What an account gets when it is made an admin; the username stays unless one is given. */
export interface Promotion {
  password: string;
  username?: string;
}

async function ensureFirst(deps: OperatorAdminsDeps, account: NewAccount): Promise<void> {
  const { users, log } = deps;
  const sameEmail = await users.findByEmail(account.email);
  if (sameEmail) return logNoEffect(deps, sameEmail, 'HUTCH_ADMIN_EMAIL');
  const weakness = weaknessOf(account.password, account);
  if (weakness !== undefined) throw new StartupError(`First admin: ${weakness}`);
  try {
    const { id, username } = await users.create(account, { role: 'admin' });
    log.info('Made the first admin.', { id, username });
  } catch (error) {
    const holder = await users.findByLogin(account.username);
    if (!isTakenError(error) || !holder) throw error;
    logNoEffect(deps, holder, 'HUTCH_ADMIN_USERNAME');
  }
}

/** `setting` names what the account shares with the first admin that is not made. */
function logNoEffect({ log }: OperatorAdminsDeps, user: User, setting: string): void {
  const { id, username, role, is_active, created_at } = user;
  const email_verified = user.email_verified_at !== null;
  const fields = { setting, id, username, role, is_active, email_verified, created_at };
  if (setting === 'HUTCH_ADMIN_USERNAME') {
    log.warn('HUTCH_ADMIN_* had no effect: another account has the username.', fields);
  } else if (role === 'admin' && is_active) {
    log.info('HUTCH_ADMIN_* had no effect: the account is an admin already.', fields);
  } else {
    const hint = 'if it is yours, hutch admin create --promote makes it one';
    log.warn(
      `HUTCH_ADMIN_* had no effect: the account with the email is no active admin; ${hint}.`,
      fields,
    );
  }
}

async function promote(
  deps: OperatorAdminsDeps,
  { id, email, email_key }: User,
  { password, username: given }: Promotion,
): Promise<User> {
  const { db, passwords, throttle, audit, actionTokens, notices, now } = deps;
  const username = given === undefined ? undefined : tidy(given);
  if (username !== undefined) refuseForeignAddress({ email, username });
  const password_hash = await passwords.hash(password);
  const renamed = username !== undefined && { username, username_key: nameKey(username) };
  const write = db.write(async (tx) => {
    const set = {
      ...renamed,
      role: 'admin' as const,
      is_active: true,
      password_hash,
      updated_at: now().toISOString(),
    };
    const isIt = and(eq(usersTable.id, id), eq(usersTable.email_key, email_key));
    const [user] = await tx.orm.update(usersTable).set(set).where(isIt).returning();
    if (!user) throw new AppError('conflict', 'The account was changed meanwhile');
    await endWaysIn(deps, tx, id);
    await actionTokens.revoke(tx, id, PURPOSES);
    await throttle.forget(tx, id);
    const details = { role: 'admin' };
    await audit.record(tx, SYSTEM, { action: 'user.role_changed', user_id: id, details });
    await audit.record(tx, SYSTEM, { action: 'password.changed', user_id: id });
    await notices.send(tx, id, 'password.changed');
    return user;
  });
  return write.catch((error) => {
    throw takenError(error) ?? error;
  });
}
