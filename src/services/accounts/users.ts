import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { type Actor, type AnyActor, SYSTEM } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { fixed, prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import { isNotRemoved, type Role, type User, users } from '../../models/users.ts';
import { nameKey } from '../../utils/text/email.ts';
import { requireAdmin } from '../admins-only.ts';
import type { Audit } from '../audit/audit.ts';
import type { Quotas } from '../quotas.ts';
import { type CountedRows, type Place, placeAfter } from '../skip.ts';
import {
  emailTaken,
  findByEmail,
  findByUsername,
  insertAccount,
  type NewAccount,
  newUser,
  refuseForeignAddress,
  rethrowTaken,
  userNotFound,
  usernameTaken,
} from './rows.ts';

export interface UsersDeps {
  db: Db;
  turns: FairTurns;
  passwords: PasswordHasher;
  audit: Audit;
  quotas: Quotas;
  now(): Date;
}

export interface CreateOptions {
  role?: Role;
  /** Default: the system. */
  actor?: AnyActor;
  /** Runs in the transaction that creates the account: both commit or neither does. */
  onCreated?: (tx: Tx, user: User) => Promise<void>;
}

/** The public fields of an account. */
export type PublicUser = Pick<User, 'id' | 'email' | 'username' | 'is_active' | 'created_at'>;

export type Users = ReturnType<typeof createUsers>;

/** Reads and creates accounts. */
export const createUsers = ({ db, turns, passwords, audit, quotas, now }: UsersDeps) => ({
  /**
   * Returns the account with `id` to itself or to an admin. Throws forbidden for anyone else,
   * whether or not the account exists, and not_found.
   */
  getFor: async (actor: Actor, id: number): Promise<PublicUser> => {
    if (actor.id !== id) requireAdmin(actor);
    const [user] = await publicUserById(db.read, { id });
    if (!user) throw userNotFound();
    return user;
  },

  /** Returns a page of accounts by id, for an admin. Throws forbidden, overloaded. */
  list: async (actor: Actor, skip: number, limit: number): Promise<PublicUser[]> => {
    requireAdmin(actor);
    const place = await placeAfter(db.read, turns.paceFor('users'), COUNTED_USERS, skip);
    return place ? userPage(db.read, { ...place, limit }) : [];
  },

  findByEmail: (email: string): Promise<User | undefined> => findByEmail(db.read, email),

  /**
   * Returns the account with this email or username. A login with an @ is only ever an email:
   * usernames that look like addresses exist from before they were refused, and are ignored.
   */
  findByLogin: (login: string): Promise<User | undefined> =>
    nameKey(login).includes('@') ? findByEmail(db.read, login) : findByUsername(db.read, login),

  hasAdmin: async (): Promise<boolean> => {
    const { orm } = db.read;
    const admins = orm.select({ id: users.id }).from(users).where(eq(users.role, 'admin'));
    return (await admins.limit(1)).length > 0;
  },

  /**
   * Creates an account. Throws email_taken and username_taken, compared without case by the
   * unique indexes: of simultaneous sign-ups with one email exactly one succeeds. Throws
   * validation_failed for a username that is another address, and overloaded when too many
   * passwords are being hashed.
   */
  create: async (
    account: NewAccount,
    { role = 'user', actor = SYSTEM, onCreated }: CreateOptions = {},
  ): Promise<User> => {
    refuseForeignAddress(account);
    // Only an admin creates accounts for others.
    quotas.requireSpace(actor.id === null ? { role } : actor);
    // Saves hashing a password for a taken name; the unique index decides.
    if (await findByEmail(db.read, account.email)) throw emailTaken();
    if (await findByUsername(db.read, account.username)) throw usernameTaken();
    const password_hash = await passwords.hash(account.password);
    const row = newUser(account, { role, password_hash, now: now() });
    const write = db.write(async (tx) => {
      const user = await insertAccount(audit, tx, actor, row);
      await onCreated?.(tx, user);
      return user;
    });
    return write.catch(rethrowTaken);
  },

  /** Hashes a password again with the current parameters, unless it has changed since. */
  renewHash: async (id: number, old: string, password: string): Promise<void> => {
    const password_hash = await passwords.hash(password);
    await db.write(async ({ orm }) => {
      const isUnchanged = and(eq(users.id, id), eq(users.password_hash, old));
      await orm.update(users).set({ password_hash }).where(isUnchanged);
    });
  },
});

const isUserNotRemoved = isNotRemoved(users.id);

const { id, email, username, is_active, created_at } = users;
const publicColumns = { id, email, username, is_active, created_at };

const publicUserById = prepare<{ id: number }, PublicUser[]>((orm) =>
  orm
    .select(publicColumns)
    .from(users)
    .where(and(eq(users.id, sql.placeholder('id')), isUserNotRemoved)),
);
const COUNTED_USERS: CountedRows = {
  of: 'users',
  ids: fixed(sql`select ${users.id} as id from ${users} where ${isUserNotRemoved}`),
};
const userPage = prepare<Place & { limit: number }, PublicUser[]>((orm) =>
  orm
    .select(publicColumns)
    .from(users)
    .where(and(isUserNotRemoved, gt(users.id, sql.placeholder('after'))))
    .orderBy(asc(users.id))
    .limit(sql.placeholder('limit'))
    .offset(sql.placeholder('rest')),
);
