import { type Fragment, fragment, nameOf, raw } from '../../core/db/fragment.ts';
import { type Role, users } from '../../models/users.ts';
import { emailKey, nameKey } from '../../utils/text/email.ts';
import { type Condition, compare, passes } from '../conditions.ts';
import type { Source } from '../resources/list/listing.ts';
import type { Filter } from '../resources/list/query.ts';

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

type SortField = 'id' | 'created_at' | 'username';
export type UserSort = SortField | `-${SortField}`;

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

/** The conditions of a query on the columns of accounts, and on `q`. */
export function filtersOf(query: UserListQuery): Filter[] {
  const { role, is_active, created_after, created_before, q, filters = [] } = query;
  const some = (field: string, op: Filter['op'], value?: string) =>
    value === undefined ? [] : [{ field, op, values: [value] }];
  const conditions = [
    ...some('role', 'eq', role),
    ...some('is_active', 'eq', is_active?.toString()),
    ...some('created_at', 'gt', created_after || undefined),
    ...some('created_at', 'lt', created_before || undefined),
    ...some('q', 'in', q && nameKey(q)),
    ...filters,
  ];
  return conditions.map((it) => ({ path: [], ...storedFilter(it) }));
}

/** Names are compared by their keys, ignoring case. */
function storedFilter({ field, op, values }: Condition<string>): Condition<string> {
  if (field === 'is_active') {
    return { field, op, values: values.map((it) => (it === 'true' ? 1 : 0)) };
  }
  const keyOf = field === 'username' ? nameKey : emailKey;
  if ((field === 'username' || field === 'email') && op !== 'like') {
    return { field: `${field}_key`, op, values: values.map((it) => keyOf(String(it))) };
  }
  if (field === 'email_verified') return presence('email_verified_at', { field, op, values });
  return field === 'has_password'
    ? presence('password_hash', { field, op, values })
    : { field, op, values };
}

/** The condition that a column has a value, for one that compares this fact with a text. */
function presence(column: string, condition: Condition<string>): Condition<string> {
  const [isSet, isNull] = [passes(condition, 'true'), passes(condition, 'false')];
  if (isSet && isNull) return { field: 'id', op: 'gt', values: [0] };
  if (!isSet && !isNull) return { field: 'id', op: 'in', values: [] };
  return { field: column, op: 'is', values: [isSet ? 'not_null' : 'null'] };
}

/** SQL for a filter. */
export function conditionOf({ field, op, values }: Filter): Fragment {
  if (field !== 'q') return compare(nameOf(columnOf(field)), op, values);
  const prefix = String(values[0]);
  // The unary + prevents SQLite from using these indexes, whose rows it would all have to sort.
  const [name, email] = KEYS.map((key) => fragment`(${startsWith(fragment`+${key}`, prefix)})`);
  return fragment`(${name} or ${email})`;
}

export function columnOf(field: string) {
  return users[field as 'id' | 'username_key'];
}

/** The accounts whose username or email has a prefix, in no order; some twice. */
export function accountsNamed(prefix: string): Source {
  const [byName, byEmail] = KEYS.map(
    (key) => fragment`select id from "users" where ${startsWith(key, prefix)}`,
  );
  const id = raw('named.id');
  return {
    from: fragment`(${byName} union all ${byEmail}) as named`,
    where: raw('true'),
    key: id,
    id,
  };
}

const KEYS = [nameOf(users.username_key), nameOf(users.email_key)] as const;

/** Greater than any character that can follow a prefix. */
const LAST_CHARACTER = '\u{10ffff}';

function startsWith(key: Fragment, prefix: string): Fragment {
  return fragment`${key} >= ${prefix} and ${key} < ${prefix + LAST_CHARACTER}`;
}
