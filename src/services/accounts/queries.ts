import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { fixed } from '../../core/db/dynamic-query.ts';
import { prepare } from '../../core/db/query.ts';
import { type NewUser, type User, users } from '../../models/index.ts';
import type { CountedRows, Place } from '../skip.ts';
import { isKept } from './removed.ts';

/** What anyone may be shown of an account. */
export type ShownUser = Pick<User, 'id' | 'email' | 'username' | 'is_active' | 'created_at'>;

const isUserKept = isKept(users.id);

const { id, email, username, is_active, created_at } = users;
export const shownUserById = prepare<{ id: number }, ShownUser[]>((orm) =>
  orm
    .select({ id, email, username, is_active, created_at })
    .from(users)
    .where(and(eq(users.id, sql.placeholder('id')), isUserKept)),
);
export const userById = prepare<{ id: number }, User[]>((orm) =>
  orm
    .select()
    .from(users)
    .where(and(eq(users.id, sql.placeholder('id')), isUserKept)),
);
export const userByEmail = prepare<{ key: string }, User[]>((orm) =>
  orm
    .select()
    .from(users)
    .where(eq(users.email_key, sql.placeholder('key'))),
);
export const userByUsername = prepare<{ key: string }, User[]>((orm) =>
  orm
    .select()
    .from(users)
    .where(eq(users.username_key, sql.placeholder('key'))),
);
/** For placeAfter. */
export const COUNTED_USERS: CountedRows = {
  of: 'users',
  ids: fixed(sql`select ${users.id} as id from ${users} where ${isUserKept}`),
};

export const userPage = prepare<Place & { limit: number }, ShownUser[]>((orm) =>
  orm
    .select({ id, email, username, is_active, created_at })
    .from(users)
    .where(and(isUserKept, gt(users.id, sql.placeholder('after'))))
    .orderBy(asc(users.id))
    .limit(sql.placeholder('limit'))
    .offset(sql.placeholder('rest')),
);
export const insertUser = prepare<NewUser & Record<string, unknown>, User[]>((orm) =>
  orm
    .insert(users)
    .values({
      email: sql.placeholder('email'),
      email_key: sql.placeholder('email_key'),
      username: sql.placeholder('username'),
      username_key: sql.placeholder('username_key'),
      password_hash: sql.placeholder('password_hash'),
      email_verified_at: sql.placeholder('email_verified_at'),
      is_active: sql.placeholder('is_active'),
      role: sql.placeholder('role'),
      created_at: sql.placeholder('created_at'),
      updated_at: sql.placeholder('created_at'),
    })
    .returning(),
);

// As in the index users_password_kind, which the migration password_kinds makes.
/** What the cost of a hash depends on: `$2b$12$` or all of argon2's up to the lanes. */
const PASSWORD_KIND = sql<string>`(case when substr(password_hash, 1, 2) = '$2' then substr(password_hash, 1, 7) else substr(password_hash, 1, instr(password_hash, ',p=') + 4) end)`;
/** Whether a hash is of another kind than new ones are. */
const IS_OTHER_KIND = sql`substr(password_hash, 1, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$'`;

const nextPasswordKind = prepare<{ after: string }, { kind: string }[]>((orm) =>
  orm
    .select({ kind: PASSWORD_KIND })
    .from(users)
    .where(and(IS_OTHER_KIND, sql`${PASSWORD_KIND} > ${sql.placeholder('after')}`))
    .orderBy(PASSWORD_KIND)
    .limit(1),
);

/** The kinds of hashes that accounts have, beside that of new ones: a look-up by index for each. */
export async function otherPasswordKinds(session: Session): Promise<string[]> {
  const kinds: string[] = [];
  for (;;) {
    const [next] = await nextPasswordKind(session, { after: kinds.at(-1) ?? '' });
    if (!next) return kinds;
    kinds.push(next.kind);
  }
}
