import { asc, eq, sql } from 'drizzle-orm';
import type { Db } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import { prepare } from '../core/query.ts';
import type { PasswordHasher } from '../core/security.ts';
import { uniqueViolation } from '../core/storage-error.ts';
import { type NewUser, type Role, type User, users } from '../models/index.ts';
import { fold } from '../utils/fold.ts';

export interface UsersDeps {
  db: Db;
  passwords: PasswordHasher;
  now(): Date;
}

/** What a new account is made from. */
export interface NewAccount {
  email: string;
  username: string;
  password: string;
  is_active?: boolean;
}

/** Who asks: an account with its role, as read for this request. */
export type Caller = Pick<User, 'id' | 'role'>;

export type Users = ReturnType<typeof createUsers>;

/** What anyone may be shown of an account. */
export type ShownUser = Pick<User, 'id' | 'email' | 'username' | 'is_active' | 'created_at'>;

const { id, email, username, is_active, created_at } = users;
const shownUserById = prepare<{ id: number }, ShownUser[]>((orm) =>
  orm
    .select({ id, email, username, is_active, created_at })
    .from(users)
    .where(eq(users.id, sql.placeholder('id'))),
);
const userByEmail = prepare<{ key: string }, User[]>((orm) =>
  orm
    .select()
    .from(users)
    .where(eq(users.email_key, sql.placeholder('key'))),
);
const userByUsername = prepare<{ key: string }, User[]>((orm) =>
  orm
    .select()
    .from(users)
    .where(eq(users.username_key, sql.placeholder('key'))),
);
const userPage = prepare<{ skip: number; limit: number }, ShownUser[]>((orm) =>
  orm
    .select({ id, email, username, is_active, created_at })
    .from(users)
    .orderBy(asc(users.id))
    .limit(sql.placeholder('limit'))
    .offset(sql.placeholder('skip')),
);
const insertUser = prepare<NewUser & Record<string, unknown>, User[]>((orm) =>
  orm
    .insert(users)
    .values({
      email: sql.placeholder('email'),
      email_key: sql.placeholder('email_key'),
      username: sql.placeholder('username'),
      username_key: sql.placeholder('username_key'),
      password_hash: sql.placeholder('password_hash'),
      is_active: sql.placeholder('is_active'),
      role: sql.placeholder('role'),
      created_at: sql.placeholder('created_at'),
      updated_at: sql.placeholder('created_at'),
    })
    .returning(),
);

/** What accounts can do. */
export const createUsers = (deps: UsersDeps) => ({ ...userReads(deps), ...userWrites(deps) });

function userReads({ db }: UsersDeps) {
  return {
    /**
     * The account with `id`, for itself or for an admin. Throws forbidden for anyone else,
     * whether or not it exists, and not_found.
     */
    getFor: async (caller: Caller, id: number): Promise<ShownUser> => {
      if (caller.id !== id && caller.role !== 'admin') {
        throw new AppError('forbidden', 'Not enough permissions');
      }
      const user = first(await shownUserById(db.read, { id }));
      if (!user) throw new AppError('not_found', 'User not found');
      return user;
    },

    /** A page of accounts by id. */
    list: (skip: number, limit: number): Promise<ShownUser[]> => userPage(db.read, { skip, limit }),

    /** The account with this email or, when there is none, with this username. */
    findByLogin: async (login: string): Promise<User | undefined> => {
      const key = fold(login);
      const byEmail = first(await userByEmail(db.read, { key }));
      return byEmail ?? first(await userByUsername(db.read, { key }));
    },

    hasAdmin: async (): Promise<boolean> => {
      const { orm } = db.read;
      const admins = orm.select({ id: users.id }).from(users).where(eq(users.role, 'admin'));
      return (await admins.limit(1)).length > 0;
    },
  };
}

function userWrites({ db, passwords, now }: UsersDeps) {
  return {
    /**
     * Creates an account. Throws email_taken or username_taken, judged without case by the
     * unique indexes: of simultaneous sign-ups with one email exactly one succeeds. Throws
     * overloaded when too many passwords are being hashed.
     */
    create: async (account: NewAccount, role: Role = 'user'): Promise<User> => {
      await refuseTaken(db, account);
      const row = newUser(account, role, await passwords.hash(account.password), now());
      try {
        return await db.write(async (tx) => first(await insertUser(tx, row)) as User);
      } catch (error) {
        throw takenError(error) ?? error;
      }
    },

    /** Makes an existing account an active admin; undefined when there is none with `email`. */
    promote: (email: string): Promise<User | undefined> =>
      db.write(async (tx) => {
        const set = { role: 'admin' as const, is_active: true, updated_at: now().toISOString() };
        const isIt = eq(users.email_key, fold(email));
        return first(await tx.orm.update(users).set(set).where(isIt).returning());
      }),
  };
}

/** Spares a hash for a name that is taken; the unique index has the last word. */
async function refuseTaken(db: Db, { email, username }: NewAccount): Promise<void> {
  if (first(await userByEmail(db.read, { key: fold(email) }))) throw emailTaken();
  if (first(await userByUsername(db.read, { key: fold(username) }))) throw usernameTaken();
}

function newUser(account: NewAccount, role: Role, password_hash: string, now: Date): NewUser {
  const { email, username, is_active = true } = account;
  const created_at = now.toISOString();
  const keys = { email_key: fold(email), username_key: fold(username) };
  return {
    email,
    username,
    ...keys,
    password_hash,
    is_active,
    role,
    created_at,
    updated_at: created_at,
  };
}

function takenError(error: unknown): AppError | undefined {
  const column = uniqueViolation(error);
  if (column === 'users.email_key') return emailTaken();
  if (column === 'users.username_key') return usernameTaken();
  return undefined;
}

function emailTaken(): AppError {
  return new AppError('email_taken', 'Email already registered');
}

function usernameTaken(): AppError {
  return new AppError('username_taken', 'Username already registered');
}

function first<T>(rows: T[]): T | undefined {
  return rows[0];
}
