import { eq } from 'drizzle-orm';
import type { Actor, AnyActor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { uniqueViolation } from '../../core/db/storage-error.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { Cursors } from '../../core/security/cursors.ts';
import { type NewUser, type Role, type User, users } from '../../models/index.ts';
import { nameKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import { adminsOnly } from '../admins-only.ts';
import type { Audit, AuditAction, AuditRecord } from '../audit/audit.ts';
import type { AccessChanges } from '../auth/access-changes.ts';
import type { AccessTokens } from '../auth/access-tokens.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { OnWritten } from '../idempotency.ts';
import type { UserListQuery } from './filters.ts';
import { type Account, type AccountPage, account, listUsers } from './list.ts';
import { type NewAccount, refuseForeignAddress, usernameTaken } from './new-account.ts';
import { refuseWeak } from './password-policy.ts';
import { userById } from './queries.ts';
import { type AccountRemoval, refuseLastAdmin } from './removal.ts';
import type { Users } from './users.ts';

export interface AdminUsersDeps {
  db: Db;
  cursors: Cursors;
  turns: FairTurns;
  audit: Audit;
  removal: AccountRemoval;
  users: Users;
  sessions: Sessions;
  accessChanges: AccessChanges;
  accessTokens: AccessTokens;
  now(): Date;
}

/** What an admin may change of an account; what is left out stays. */
export interface AccountChanges {
  username?: string | undefined;
  email_verified?: boolean | undefined;
  is_active?: boolean | undefined;
  role?: Role | undefined;
}

/** What is noted of a change, an entry each. */
type Act = { action: AuditAction; details?: Record<string, unknown> };

/** What admins do to accounts. Each method throws forbidden for a caller who is no admin. */
export const createAdminUsers = (deps: AdminUsersDeps) =>
  adminsOnly({
    /** Throws invalid_cursor. */
    list: (_actor: Actor, query: UserListQuery): Promise<AccountPage> => listUsers(deps, query),

    /** Throws not_found. */
    get: async (_actor: Actor, id: number): Promise<Account> =>
      account(await getUser(deps.db.read, id)),

    /**
     * Creates an account; `onWritten` runs in the same transaction. Throws weak_password, email_taken,
     * username_taken, overloaded.
     */
    create: async (
      actor: Actor,
      { role = 'user', ...values }: NewAccount & { role?: Role | undefined },
      onWritten?: OnWritten<Account>,
    ): Promise<Account> => {
      refuseWeak(values.password, values);
      const onCreated = (tx: Tx, user: User) => onWritten?.(tx, account(user)) ?? Promise.resolve();
      return account(await deps.users.create(values, { role, actor, onCreated }));
    },

    /**
     * An admin who says that an email is verified vouches for it: unlike with a mailed link, no
     * session, password or token made before is ended. Deactivation and promotion end all sessions
     * and tokens for good, another change of the role ends the tokens. Throws not_found, username_taken,
     * validation_failed for a username that is another address, and conflict for the last active
     * admin.
     */
    update: (actor: Actor, id: number, changes: AccountChanges): Promise<Account> =>
      updateAccount(deps, actor, id, changes),

    /** Deletes an account and everything that belongs to it. Throws not_found, conflict as `update`. */
    remove: (actor: Actor, id: number): Promise<void> =>
      deps.db.write(async (tx) => {
        await deps.removal.begin(tx, actor, await getUser(tx, id));
      }),

    /** Ends all sessions and personal access tokens of an account. Throws not_found. */
    endSessions: (actor: Actor, id: number): Promise<{ ended: number }> =>
      deps.db.write(async (tx) => {
        await getUser(tx, id);
        const ended = await deps.sessions.endAll(tx, id);
        await deps.accessTokens.endAll(tx, id);
        const entry = { action: 'sessions.ended', user_id: id, details: { ended } } as const;
        await deps.audit.record(tx, actor, entry);
        return { ended };
      }),
  });

type AccountUpdateDeps = Pick<
  AdminUsersDeps,
  'db' | 'sessions' | 'accessTokens' | 'accessChanges' | 'audit' | 'now'
>;

/**
 * Changes an account, with the effects and errors of `update` above; `noted` is added to the details
 * of each audit entry.
 */
export async function updateAccount(
  { db, sessions, accessTokens, accessChanges, audit, now }: AccountUpdateDeps,
  actor: AnyActor,
  id: number,
  changes: AccountChanges,
  noted: AuditRecord['details'] = {},
): Promise<Account> {
  const at = now().toISOString();
  try {
    return await db.write(async (tx) => {
      const old = await getUser(tx, id);
      const set = changedColumns(old, changes, at);
      if (set.username !== undefined) {
        refuseForeignAddress({ email: old.email, username: set.username });
      }
      if (Object.keys(set).length === 0) return account(old);
      if (set.role === 'user' || set.is_active === false) await refuseLastAdmin(tx, old);
      if (set.role !== undefined || set.is_active !== undefined) accessChanges.note(tx, id);
      if (set.is_active === false || set.role === 'admin') await sessions.endAll(tx, id);
      if (set.is_active === false || set.role !== undefined) await accessTokens.endAll(tx, id);
      const values = { ...set, updated_at: at };
      const [user] = await tx.orm.update(users).set(values).where(eq(users.id, id)).returning();
      for (const act of actsOf(set)) {
        const details = { ...act.details, ...noted };
        await audit.record(tx, actor, { ...act, user_id: id, details });
      }
      return account(user as User);
    });
  } catch (error) {
    throw uniqueViolation(error) === 'users.username_key' ? usernameTaken() : error;
  }
}

async function getUser(session: Session, id: number): Promise<User> {
  const [user] = await userById(session, { id });
  if (!user) throw new AppError('not_found', 'User not found');
  return user;
}

function changedColumns(old: User, changes: AccountChanges, at: string): Partial<NewUser> {
  const { email_verified, is_active, role } = changes;
  const username = changes.username === undefined ? undefined : tidy(changes.username);
  const isVerified = old.email_verified_at !== null;
  return {
    ...(username !== undefined &&
      username !== old.username && { username, username_key: nameKey(username) }),
    ...(email_verified !== undefined &&
      email_verified !== isVerified && { email_verified_at: email_verified ? at : null }),
    ...(is_active !== undefined && is_active !== old.is_active && { is_active }),
    ...(role !== undefined && role !== old.role && { role }),
  };
}

function actsOf({ username, email_verified_at, is_active, role }: Partial<NewUser>): Act[] {
  const fields = [
    ...(username === undefined ? [] : ['username']),
    ...(email_verified_at === undefined ? [] : ['email_verified']),
  ];
  const acts: Act[] = [];
  if (fields.length > 0) acts.push({ action: 'user.updated', details: { fields } });
  if (role !== undefined) acts.push({ action: 'user.role_changed', details: { role } });
  if (is_active === true) acts.push({ action: 'user.activated' });
  if (is_active === false) acts.push({ action: 'user.deactivated' });
  return acts;
}
