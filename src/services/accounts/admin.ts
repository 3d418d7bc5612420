import type { Actor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { Cursors } from '../../core/security/cursors.ts';
import type { Role, User } from '../../models/users.ts';
import { adminsOnly } from '../admins-only.ts';
import type { OnWritten } from '../idempotency.ts';
import { type Account, account } from './account.ts';
import type { UserListQuery } from './filters.ts';
import { type AccountPage, listUsers } from './list.ts';
import { refuseWeak } from './password.ts';
import type { AccountRemoval } from './removal.ts';
import { getUser, type NewAccount } from './rows.ts';
import { type AccountChanges, type AccountUpdateDeps, updateAccount } from './update.ts';
import type { Users } from './users.ts';

export interface AdminUsersDeps extends AccountUpdateDeps {
  cursors: Cursors;
  turns: FairTurns;
  removal: AccountRemoval;
  users: Users;
}

/** Operations of admins on accounts. Each method throws forbidden for any other caller. */
export const createAdminUsers = (deps: AdminUsersDeps) =>
  adminsOnly({
    /** Returns a page of accounts. Throws invalid_cursor. */
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

    /** Changes an account, as `updateAccount` does. */
    update: (actor: Actor, id: number, changes: AccountChanges): Promise<Account> =>
      updateAccount(deps, actor, id, changes),

    /** Deletes an account and all of its data. Throws not_found, and conflict as `update`. */
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
