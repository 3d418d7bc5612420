import { and, eq } from 'drizzle-orm';
import { type Actor, type AnyActor, SYSTEM } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import { type Role, type User, users } from '../../models/index.ts';
import { emailKey, nameKey } from '../../utils/text/email.ts';
import { requireAdmin } from '../admins-only.ts';
import type { Audit } from '../audit/audit.ts';
import type { Quotas } from '../quotas.ts';
import { placeAfter } from '../skip.ts';
import {
  emailTaken,
  insertAccount,
  type NewAccount,
  newUser,
  refuseForeignAddress,
  takenError,
  usernameTaken,
} from './new-account.ts';
import {
  COUNTED_USERS,
  type ShownUser,
  shownUserById,
  userByEmail,
  userByUsername,
  userPage,
} from './queries.ts';

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
  /** What else belongs to making it, in the same transaction: both hold or neither. */
  onCreated?: (tx: Tx, user: User) => Promise<void>;
}

export type Users = ReturnType<typeof createUsers>;

/** What accounts can do. */
export const createUsers = (deps: UsersDeps) => ({ ...userReads(deps), ...userWrites(deps) });

function userReads({ db, turns }: UsersDeps) {
  return {
    /**
     * The account with `id`, for itself or for an admin. Throws forbidden for anyone else,
     * whether or not it exists, and not_found.
     */
    getFor: async (actor: Actor, id: number): Promise<ShownUser> => {
      if (actor.id !== id) requireAdmin(actor);
      const user = first(await shownUserById(db.read, { id }));
      if (!user) throw new AppError('not_found', 'User not found');
      return user;
    },

    /** A page of accounts by id, for an admin. Throws forbidden, overloaded. */
    list: async (actor: Actor, skip: number, limit: number): Promise<ShownUser[]> => {
      requireAdmin(actor);
      const place = await placeAfter(db.read, turns.paceFor('users'), COUNTED_USERS, skip);
      return place ? userPage(db.read, { ...place, limit }) : [];
    },

    findByEmail: async (email: string): Promise<User | undefined> =>
      first(await userByEmail(db.read, { key: emailKey(email) })),

    /**
     * The account with this email or username. A login with an @ is an email and nothing else: a
     * username that was chosen before usernames were refused to be addresses is not looked at.
     */
    findByLogin: async (login: string): Promise<User | undefined> => {
      const isEmail = nameKey(login).includes('@');
      const rows = isEmail
        ? userByEmail(db.read, { key: emailKey(login) })
        : userByUsername(db.read, { key: nameKey(login) });
      return first(await rows);
    },

    hasAdmin: async (): Promise<boolean> => {
      const { orm } = db.read;
      const admins = orm.select({ id: users.id }).from(users).where(eq(users.role, 'admin'));
      return (await admins.limit(1)).length > 0;
    },
  };
}

function userWrites({ db, passwords, audit, quotas, now }: UsersDeps) {
  return {
    /**
     * Creates an account. Throws email_taken or username_taken, judged without case by the
     * unique indexes: of simultaneous sign-ups with one email exactly one succeeds. Throws
     * validation_failed for a username that is another address, and overloaded when too many
     * passwords are being hashed.
     */
    create: async (
      account: NewAccount,
      { role = 'user', actor = SYSTEM, onCreated }: CreateOptions = {},
    ): Promise<User> => {
      refuseForeignAddress(account);
      // Only an admin makes accounts for others.
      quotas.requireSpace(actor.id === null ? { role } : actor);
      await refuseTaken(db, account);
      const row = newUser(account, role, await passwords.hash(account.password), now());
      try {
        return await db.write(async (tx) => {
          const user = await insertAccount(audit, tx, row, actor);
          await onCreated?.(tx, user);
          return user;
        });
      } catch (error) {
        throw takenError(error) ?? error;
      }
    },

    /** Hashes a password anew with the settings of today, unless it was changed meanwhile. */
    renewHash: async (id: number, old: string, password: string): Promise<void> => {
      const password_hash = await passwords.hash(password);
      await db.write(async ({ orm }) => {
        const isIt = and(eq(users.id, id), eq(users.password_hash, old));
        await orm.update(users).set({ password_hash }).where(isIt);
      });
    },
  };
}

/** Spares a hash for a name that is taken; the unique index has the last word. */
async function refuseTaken(db: Db, { email, username }: NewAccount): Promise<void> {
  if (first(await userByEmail(db.read, { key: emailKey(email) }))) throw emailTaken();
  if (first(await userByUsername(db.read, { key: nameKey(username) }))) throw usernameTaken();
}

function first<T>(rows: T[]): T | undefined {
  return rows[0];
}
