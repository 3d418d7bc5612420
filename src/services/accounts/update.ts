import type { AnyActor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { NewUser, Role, User } from '../../models/users.ts';
import { nameKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import type { Audit, AuditAction, AuditRecord } from '../audit/audit.ts';
import type { AccessChanges } from '../auth/access-changes.ts';
import type { AccessTokens } from '../auth/access-tokens.ts';
import type { Sessions } from '../auth/sessions.ts';
import { type Account, account } from './account.ts';
import {
  getUser,
  refuseForeignAddress,
  refuseLastAdmin,
  rethrowTaken,
  updateUser,
} from './rows.ts';

export interface AccountUpdateDeps {
  db: Db;
  sessions: Sessions;
  accessTokens: AccessTokens;
  accessChanges: AccessChanges;
  audit: Audit;
  now(): Date;
}

/** The fields that an admin may change; omitted ones stay. */
export interface AccountChanges {
  username?: string | undefined;
  email_verified?: boolean | undefined;
  is_active?: boolean | undefined;
  role?: Role | undefined;
}

/** One audit entry of a change. */
type Act = { action: AuditAction; details?: Record<string, unknown> };

/**
 * Changes an account and adds `extraDetails` to each audit entry. An admin who sets
 * `email_verified` vouches for the address: unlike after a mailed link, earlier sessions, passwords
 * and tokens stay valid. Deactivation and promotion end all sessions and tokens for good; demotion
 * ends the tokens. Throws not_found, username_taken, validation_failed for a username that is
 * another address, and conflict for the last active admin.
 */
export async function updateAccount(
  { db, sessions, accessTokens, accessChanges, audit, now }: AccountUpdateDeps,
  actor: AnyActor,
  id: number,
  changes: AccountChanges,
  extraDetails: AuditRecord['details'] = {},
): Promise<Account> {
  const at = now().toISOString();
  const write = db.write(async (tx) => {
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
    const user = await updateUser(tx, id, { ...set, updated_at: at });
    for (const act of actsOf(set)) {
      const details = { ...act.details, ...extraDetails };
      await audit.record(tx, actor, { ...act, user_id: id, details });
    }
    return account(user);
  });
  return write.catch(rethrowTaken);
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
