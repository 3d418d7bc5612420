import { and, asc, eq, sql } from 'drizzle-orm';
import { prepare } from '../core/query.ts';
import { type NewUser, type User, users } from '../models/index.ts';
import { isKept } from './removed-accounts.ts';

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
export const userPage = prepare<{ skip: number; limit: number }, ShownUser[]>((orm) =>
  orm
    .select({ id, email, username, is_active, created_at })
    .from(users)
    .where(isUserKept)
    .orderBy(asc(users.id))
    .limit(sql.placeholder('limit'))
    .offset(sql.placeholder('skip')),
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
