import { getTableColumns } from 'drizzle-orm';
import { raw } from '../../core/db/fragment.ts';
import { type User, users } from '../../models/users.ts';
import type { Page } from '../../utils/page.ts';
import type { Listing } from '../resources/list/listing.ts';
import { BOUNDS } from '../resources/list/query.ts';
import { type ReadListDeps, readList } from '../resources/list/read-list.ts';
import { type Account, account } from './account.ts';
import { accountsNamed, columnOf, conditionOf, filtersOf, type UserListQuery } from './filters.ts';
import { notRemoved } from './removed.ts';

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
