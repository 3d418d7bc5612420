import { getTableColumns } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import { raw } from '../../core/db/fragment.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { Cursors } from '../../core/security/cursors.ts';
import { type Role, type User, users } from '../../models/users.ts';
import type { Page } from '../../utils/page.ts';
import { adminsOnly } from '../admins-only.ts';
import type { OnWritten } from '../idempotency.ts';
import type { Listing } from '../resources/list/listing.ts';
import { BOUNDS } from '../resources/list/query.ts';
import { type ReadListDeps, readList } from '../resources/list/read-list.ts';
import { type Account, account } from './account.ts';
import { accountsNamed, columnOf, conditionOf, filtersOf, type UserListQuery } from './filters.ts';
import { refuseWeak } from './password.ts';
import type { AccountRemoval } from './removal.ts';
import { notRemoved } from './removed.ts';
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

const DEFAULT_LIMIT = 50;

export interface AccountPage {
  data: Account[];
  page: Page;
  total?: number;
}

const LISTING: Listing = {
  name: 'users',
  table: users,
  joins: raw(''),
  columnOf,
  isLight: () => true,
  conditionOf,
  entriesBeside: (_section, field, filter) =>
    field === 'q' && filter ? accountsNamed(String(filter.values[0])) : undefined,
};

const COLUMNS = Object.keys(getTableColumns(users));

/** A page scans 200,000 accounts, and a count all of them. */
const USER_BOUNDS = {
  ...BOUNDS,
  window: 2_000,
  windows: 100,
  maxMs: Number.POSITIVE_INFINITY,
  counted: Number.POSITIVE_INFINITY,
};

/**
 * Returns a page of accounts. Throws overloaded, and invalid_cursor for a cursor of another sort or
 * filter.
 */
export async function listUsers(deps: ReadListDeps, query: UserListQuery): Promise<AccountPage> {
  const { sort = 'id', limit = DEFAULT_LIMIT, cursor, count } = query;
  const field = sort.replace('-', '').replace('username', 'username_key');
  const hidden = await notRemoved(deps.db.read, users.id);
  const { data, page, total } = await readList({ ...deps, bounds: USER_BOUNDS }, LISTING, {
    ...{ limit, cursor, count, columns: COLUMNS, share: 'users' },
    filters: filtersOf(query),
    sort: [{ field, isDescending: sort.startsWith('-') }],
    sections: [{ condition: '', known: {}, hidden }],
    scope: [],
  });
  const accounts = data.map((row) =>
    account({ ...row, is_active: row['is_active'] === 1 } as User),
  );
  return { data: accounts, page, ...(total !== undefined && { total }) };
}
