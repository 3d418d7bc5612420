import { and, asc, count, desc, eq, gt, gte, inArray, lt, or, type SQL } from 'drizzle-orm';
import { union } from 'drizzle-orm/sqlite-core';
import type { Cursors } from '../core/cursors.ts';
import type { Db } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import { type Role, type User, users } from '../models/index.ts';
import { fold } from '../utils/fold.ts';
import { type Page, pageOf } from '../utils/page.ts';
import { type OwnAccount, ownAccount } from './own-account.ts';
import { isKept } from './removed-accounts.ts';

const DEFAULT_LIMIT = 50;
/** Greater than every character that a text goes on with. */
const LAST_CHARACTER = '\u{10ffff}';

type SortField = 'id' | 'created_at' | 'username';
export type UserSort = SortField | `-${SortField}`;

/** Which accounts, in which order, from where and how many of them. */
export interface UserListQuery {
  role?: Role | undefined;
  is_active?: boolean | undefined;
  /** Exclusive, as the one below. */
  created_after?: string | undefined;
  created_before?: string | undefined;
  /** How the username or the email begins, without case. */
  q?: string | undefined;
  /** Default `id`; `-` is descending. */
  sort?: UserSort | undefined;
  /** Default 50. */
  limit?: number | undefined;
  cursor?: string | undefined;
  count?: 'exact' | undefined;
}

/** An account as an admin sees it. */
export type Account = OwnAccount & { is_active: boolean };

export interface AccountPage {
  data: Account[];
  page: Page;
  total?: number;
}

export function account(user: User): Account {
  return { ...ownAccount(user), is_active: user.is_active };
}

export interface UserListDeps {
  db: Db;
  cursors: Cursors;
}

/** A page of accounts. Throws invalid_cursor for a cursor of another sort or filter. */
export async function listUsers(
  { db, cursors }: UserListDeps,
  query: UserListQuery,
): Promise<AccountPage> {
  const { read } = db;
  const { sort = 'id', limit = DEFAULT_LIMIT, cursor } = query;
  const filter = filterOf(read.orm, query);
  const scope = scopeOf(sort, query);
  const after = cursor === undefined ? undefined : afterCursor(cursors, scope, sort, cursor);
  const rows = await read.orm
    .select()
    .from(users)
    .where(and(filter, after))
    .orderBy(...orderOf(sort))
    .limit(limit + 1);
  const { data, page } = pageOf(rows, limit, (row) => cursors.seal(scope, positionOf(sort, row)));
  const list = { data: data.map(account), page };
  return query.count ? { ...list, total: await countUsers(read.orm, filter) } : list;
}

function filterOf(orm: Db['read']['orm'], query: UserListQuery): SQL | undefined {
  const { role, is_active, created_after, created_before, q } = query;
  return and(
    isKept(users.id),
    role && eq(users.role, role),
    is_active === undefined ? undefined : eq(users.is_active, is_active),
    created_after ? gt(users.created_at, created_after) : undefined,
    created_before ? lt(users.created_at, created_before) : undefined,
    q === undefined ? undefined : inArray(users.id, idsByPrefix(orm, fold(q))),
  );
}

/** As ranges of the two unique indexes: a LIKE or an OR would read every account. */
function idsByPrefix(orm: Db['read']['orm'], prefix: string) {
  const { id, username_key, email_key } = users;
  const idsWhere = (key: typeof username_key | typeof email_key) =>
    orm
      .select({ id })
      .from(users)
      .where(and(gte(key, prefix), lt(key, prefix + LAST_CHARACTER)));
  return union(idsWhere(username_key), idsWhere(email_key));
}

function scopeOf(sort: UserSort, query: UserListQuery): string {
  const { role, is_active, created_after, created_before, q } = query;
  return JSON.stringify(['users', sort, role, is_active, created_after, created_before, q]);
}

function fieldOf(sort: UserSort): SortField {
  return sort.replace('-', '') as SortField;
}

function positionOf(sort: UserSort, { id, created_at, username_key }: User) {
  const values = { id: [id], created_at: [created_at, id], username: [username_key, id] };
  return values[fieldOf(sort)];
}

function afterCursor(
  cursors: Cursors,
  scope: string,
  sort: UserSort,
  cursor: string,
): SQL | undefined {
  const field = fieldOf(sort);
  const shape = field === 'id' ? (['number'] as const) : (['string', 'number'] as const);
  const position = cursors.open(scope, cursor, shape);
  if (!position) {
    throw new AppError('invalid_cursor', 'The cursor is not one of this list, sort and filter');
  }
  const beyond = sort.startsWith('-') ? lt : gt;
  if (field === 'id') return beyond(users.id, position[0] as number);
  const [value, id] = position as [string, number];
  const column = columnOf(field);
  return or(beyond(column, value), and(eq(column, value), beyond(users.id, id)));
}

function columnOf(field: 'created_at' | 'username') {
  return field === 'created_at' ? users.created_at : users.username_key;
}

function orderOf(sort: UserSort): SQL[] {
  const direction = sort.startsWith('-') ? desc : asc;
  const field = fieldOf(sort);
  return field === 'id' ? [direction(users.id)] : [direction(columnOf(field)), direction(users.id)];
}

async function countUsers(orm: Db['read']['orm'], filter: SQL | undefined): Promise<number> {
  const [row] = await orm.select({ total: count() }).from(users).where(filter);
  return row?.total ?? 0;
}
