import { and, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import type { FairTurns, Pace } from '../../core/fair-turns.ts';
import { type Cursors, readCursor } from '../../core/security/cursors.ts';
import { type User, users } from '../../models/users.ts';
import type { Page, Position } from '../../utils/page.ts';
import { countFiltered, type FilteredRows, readFiltered } from '../filtered-rows.ts';
import { type Account, account } from './account.ts';
import { filterOf, idsOfUnique, namesLike, type Orm, type UserListQuery } from './filters.ts';
import { orderOf, positionOf, segmentsOf, shapeOf, type UserSort } from './order.ts';

const DEFAULT_LIMIT = 50;

export interface AccountPage {
  data: Account[];
  page: Page;
  total?: number;
}

export interface UserListDeps {
  db: Db;
  cursors: Cursors;
  turns: FairTurns;
}

/**
 * Returns a page of accounts. Throws overloaded, and invalid_cursor for a cursor of another sort or
 * filter.
 */
export async function listUsers(
  { db, cursors, turns }: UserListDeps,
  query: UserListQuery,
): Promise<AccountPage> {
  const { sort = 'id', limit = DEFAULT_LIMIT, cursor } = query;
  const scope = scopeOf(sort, query);
  const from = readCursor(cursors, scope, cursor, shapeOf(sort));
  const { orm } = db.read;
  const names = await namesLike(orm, query.q);
  const unique = await idsOfUnique(orm, query.filters);
  const filter = filterOf(query, names?.filter, unique);
  const rowSource = rowsOf(orm, sort, filter, turns.paceFor('users'));
  // For a few ids, one query that looks up and sorts is cheaper than a walk.
  const source = names?.areFew || unique ? { ...rowSource, nth: async () => undefined } : rowSource;
  const { rows, next } = await readFiltered(source, from, limit);
  const next_cursor = next ? cursors.seal(scope, next) : null;
  const page = { next_cursor, has_more: next !== undefined, limit };
  const list = { data: rows.map(account), page };
  if (!query.count) return list;
  const count = async (start?: Position, to?: Position) => {
    let total = 0;
    for (const segment of segmentsOf(sort, start, to)) {
      const passing = orm.select({ id: users.id }).from(users).where(and(segment, filter));
      total += await countIn(orm, passing);
    }
    return total;
  };
  return { ...list, total: await countFiltered(source, count) };
}

function rowsOf(orm: Orm, sort: UserSort, filter: SQL | undefined, pace: Pace): FilteredRows<User> {
  const { id, created_at, username_key } = users;
  const keys = { id, created_at, username_key };
  const ordered = orderOf(sort);
  return {
    pace,
    positionOf: (row) => positionOf(sort, row),
    nth: async (from, skip) => {
      let rest = skip;
      for (const segment of segmentsOf(sort, from, undefined)) {
        const found = orm
          .select(keys)
          .from(users)
          .where(segment)
          .orderBy(...ordered);
        const [row] = await found.limit(1).offset(rest);
        if (row) return positionOf(sort, row);
        rest -= await countIn(orm, orm.select({ id }).from(users).where(segment).limit(rest));
      }
      return undefined;
    },
    rows: async (from, to, limit) => {
      const rows: User[] = [];
      for (const segment of segmentsOf(sort, from, to)) {
        const found = orm.select().from(users).where(and(segment, filter));
        rows.push(...(await found.orderBy(...ordered).limit(limit - rows.length)));
      }
      return rows;
    },
  };
}

async function countIn(orm: Orm, query: SQLWrapper): Promise<number> {
  const [row] = await orm.all<{ n: number }>(sql`select count(*) as n from ${query}`);
  return row?.n ?? 0;
}

function scopeOf(sort: UserSort, query: UserListQuery): string {
  const { role, is_active, created_after, created_before, q, filters } = query;
  const filter = [role, is_active, created_after, created_before, q, filters];
  return JSON.stringify(['users', sort, ...filter]);
}
