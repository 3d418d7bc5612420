import { and, eq, gt, gte, inArray, lt, or, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { isNotRemoved, type Role, users } from '../../models/users.ts';
import { emailKey, nameKey } from '../../utils/text/email.ts';
import { type Condition, compare, valueList } from '../conditions.ts';
import type { UserSort } from './order.ts';

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

/** The filters, order and page of a list of accounts. */
export interface UserListQuery {
  role?: Role | undefined;
  is_active?: boolean | undefined;
  /** Exclusive, like `created_before`. */
  created_after?: string | undefined;
  created_before?: string | undefined;
  /** A prefix of the username or the email, ignoring case. */
  q?: string | undefined;
  /** Conditions that must all hold. Booleans are the texts `true` and `false`. */
  filters?: readonly Condition<AccountField>[] | undefined;
  /** Default `id`; `-` is descending. */
  sort?: UserSort | undefined;
  /** Default 50. */
  limit?: number | undefined;
  cursor?: string | undefined;
  count?: 'exact' | undefined;
}

export type Orm = Db['read']['orm'];

/** Greater than any character that can follow a prefix. */
const LAST_CHARACTER = '\u{10ffff}';

/** SQL that is true for the accounts of a list that also meet `others`. */
export function filterOf(
  { role, is_active, created_after, created_before, filters = [] }: UserListQuery,
  ...others: (SQL | undefined)[]
): SQL | undefined {
  return and(
    isNotRemoved(users.id),
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

/** SQL for a condition. Names are compared by their keys, ignoring case. */
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

/** The accounts found through a unique index; undefined if no condition can use one. */
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

/** The most accounts looked up through the indexes of names; beyond it, all accounts are scanned. */
const MOST_BY_NAME = 1_000;

export interface Names {
  filter: SQL;
  areFew: boolean;
}

/** The filter for a prefix of the username or the email: by ids if these are few. */
export async function namesLike(orm: Orm, q: string | undefined): Promise<Names | undefined> {
  if (q === undefined) return undefined;
  const prefix = nameKey(q);
  const { id, username_key, email_key } = users;
  const isIndexed = (key: typeof username_key | typeof email_key) =>
    and(gte(key, prefix), lt(key, prefix + LAST_CHARACTER)) as SQL;
  const isScanned = (key: typeof username_key | typeof email_key) =>
    sql`(+${key} >= ${prefix} and +${key} < ${prefix + LAST_CHARACTER})`;
  const idsBy = (key: typeof username_key | typeof email_key) =>
    orm.select({ id }).from(users).where(isIndexed(key)).limit(MOST_BY_NAME);
  const found = [...(await idsBy(username_key)), ...(await idsBy(email_key))];
  if (found.length >= MOST_BY_NAME) {
    // The unary + prevents SQLite from using these indexes, whose rows it would all have to sort.
    const filter = or(isScanned(username_key), isScanned(email_key)) as SQL;
    return { filter, areFew: false };
  }
  return { filter: isOneOf(found), areFew: true };
}
