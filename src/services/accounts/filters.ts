import { and, eq, gt, gte, inArray, lt, or, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { type Role, users } from '../../models/index.ts';
import { emailKey, nameKey } from '../../utils/text/email.ts';
import { type Condition, compare, valueList } from '../conditions.ts';
import type { UserSort } from './order.ts';
import { isKept } from './removed.ts';

export type AccountField =
  | 'id'
  | 'username'
  | 'email'
  | 'role'
  | 'is_active'
  | 'email_verified'
  | 'has_password'
  | 'created_at'
  | 'updated_at';

/** Which accounts, in which order, from where and how many of them. */
export interface UserListQuery {
  role?: Role | undefined;
  is_active?: boolean | undefined;
  /** Exclusive, as the one below. */
  created_after?: string | undefined;
  created_before?: string | undefined;
  /** How the username or the email begins, without case. */
  q?: string | undefined;
  /** Conditions that must all hold; `true` and `false` are texts. */
  filters?: readonly Condition<AccountField>[] | undefined;
  /** Default `id`; `-` is descending. */
  sort?: UserSort | undefined;
  /** Default 50. */
  limit?: number | undefined;
  cursor?: string | undefined;
  count?: 'exact' | undefined;
}

export type Orm = Db['read']['orm'];

/** Greater than every character that a text goes on with. */
const LAST_CHARACTER = '\u{10ffff}';

/** SQL that is true for the accounts of a list, with `others` that must hold too. */
export function filterOf(
  { role, is_active, created_after, created_before, filters = [] }: UserListQuery,
  ...others: (SQL | undefined)[]
): SQL | undefined {
  return and(
    isKept(users.id),
    role && eq(users.role, role),
    is_active === undefined ? undefined : eq(users.is_active, is_active),
    created_after ? gt(users.created_at, created_after) : undefined,
    created_before ? lt(users.created_at, created_before) : undefined,
    ...filters.map(conditionOf),
    ...others,
  );
}

const trueOrFalse = (condition: SQLWrapper) => sql`iif(${condition}, 'true', 'false')`;

const COLUMNS: Record<AccountField, SQLWrapper> = {
  id: users.id,
  username: users.username,
  email: users.email,
  role: users.role,
  is_active: trueOrFalse(users.is_active),
  email_verified: trueOrFalse(sql`${users.email_verified_at} is not null`),
  has_password: trueOrFalse(sql`${users.password_hash} is not null`),
  created_at: users.created_at,
  updated_at: users.updated_at,
};

/** Names compare by their keys, without case. */
function conditionOf({ field, op, values }: Condition<AccountField>): SQL {
  const isName = field === 'username' || field === 'email';
  if (!isName || op === 'like') return compare(COLUMNS[field], op, values);
  const [key, keyOf] =
    field === 'username' ? [users.username_key, nameKey] : [users.email_key, emailKey];
  return compare(
    key,
    op,
    values.map((value) => keyOf(String(value))),
  );
}

const UNIQUE: readonly AccountField[] = ['id', 'username', 'email'];

/** The accounts that a condition finds by a unique index; undefined where there is no such one. */
export async function idsOfUnique(
  orm: Orm,
  filters: UserListQuery['filters'] = [],
): Promise<SQL | undefined> {
  const unique = filters.find(
    ({ field, op }) => UNIQUE.includes(field) && (op === 'eq' || op === 'in'),
  );
  if (!unique) return undefined;
  const rows = await orm.select({ id: users.id }).from(users).where(conditionOf(unique));
  return isOneOf(rows);
}

function isOneOf(rows: { id: number }[]): SQL {
  return inArray(users.id, valueList(rows.map(({ id }) => id)));
}

/** Accounts whose name is looked up by an index; of more, each account is looked at. */
const MOST_BY_NAME = 1_000;

export interface Names {
  filter: SQL;
  areFew: boolean;
}

/** How the username or the email begins: by ids, where these are few. */
export async function namesLike(orm: Orm, q: string | undefined): Promise<Names | undefined> {
  if (q === undefined) return undefined;
  const prefix = nameKey(q);
  const { id, username_key, email_key } = users;
  const starts = (key: typeof username_key | typeof email_key) =>
    and(gte(key, prefix), lt(key, prefix + LAST_CHARACTER)) as SQL;
  const looked = (key: typeof username_key | typeof email_key) =>
    sql`(+${key} >= ${prefix} and +${key} < ${prefix + LAST_CHARACTER})`;
  const idsBy = (key: typeof username_key | typeof email_key) =>
    orm.select({ id }).from(users).where(starts(key)).limit(MOST_BY_NAME);
  const found = [...(await idsBy(username_key)), ...(await idsBy(email_key))];
  if (found.length >= MOST_BY_NAME) {
    // Not by their indexes, which would give all of them to be sorted.
    const filter = or(looked(username_key), looked(email_key)) as SQL;
    return { filter, areFew: false };
  }
  return { filter: isOneOf(found), areFew: true };
}
