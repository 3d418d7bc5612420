import { and, eq, ne, sql } from 'drizzle-orm';
import type { AnyActor } from '../../core/actor.ts';
import type { Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { uniqueViolation } from '../../core/db/storage-error.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import { isNotRemoved, type NewUser, type Role, type User, users } from '../../models/users.ts';
import { isUsernameFor, USERNAME_RULE } from '../../utils/text/account.ts';
import { emailKey, nameKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import type { Audit, AuditAction } from '../audit/audit.ts';

/** The input for a new account with a password. */
export interface NewAccount {
  email: string;
  username: string;
  password: string;
  is_active?: boolean;
}

/** The input for an account of someone who signs in through an identity provider. */
export interface ProviderAccount {
  email: string;
  username: string;
  /** True if the provider has verified the address. */
  is_verified: boolean;
}

/** Inserts an account and records it, in the caller's transaction. */
export async function insertAccount(
  audit: Audit,
  tx: Tx,
  actor: AnyActor,
  row: NewUser,
  action: AuditAction = 'user.created',
): Promise<User> {
  const [user] = (await insertUser(tx, row)) as [User];
  await audit.record(tx, actor, { action, user_id: user.id, details: { role: row.role } });
  return user;
}

/** Inserts an account without a password, in the caller's transaction. */
export function insertProviderAccount(
  { audit, now }: { audit: Audit; now(): Date },
  tx: Tx,
  actor: AnyActor,
  account: ProviderAccount,
): Promise<User> {
  const row = newUser(account, { role: 'user', password_hash: null, now: now() });
  const email_verified_at = account.is_verified ? row.created_at : null;
  return insertAccount(audit, tx, actor, { ...row, email_verified_at });
}

/** The row of a new account, not yet verified. */
export function newUser(
  account: Omit<NewAccount, 'password'>,
  { now, ...values }: { role: Role; password_hash: string | null; now: Date },
): NewUser {
  const email = tidy(account.email);
  const username = tidy(account.username);
  const created_at = now.toISOString();
  return {
    email,
    email_key: emailKey(email),
    username,
    username_key: nameKey(username),
    email_verified_at: null,
    is_active: account.is_active ?? true,
    created_at,
    updated_at: created_at,
    ...values,
  };
}

/** Throws not_found. */
export async function getUser(session: Session, id: number): Promise<User> {
  const user = await findUser(session, id);
  if (!user) throw userNotFound();
  return user;
}

export async function findUser(session: Session, id: number): Promise<User | undefined> {
  return (await userById(session, { id }))[0];
}

export async function findByEmail(session: Session, email: string): Promise<User | undefined> {
  return (await userByEmail(session, { key: emailKey(email) }))[0];
}

export async function findByUsername(session: Session, name: string): Promise<User | undefined> {
  return (await userByUsername(session, { key: nameKey(name) }))[0];
}

/** Changes columns of an existing account and returns the new row. */
export async function updateUser(
  { orm }: Session,
  id: number,
  set: Partial<NewUser>,
): Promise<User> {
  const [user] = await orm.update(users).set(set).where(eq(users.id, id)).returning();
  return user as User;
}

/** Throws validation_failed for a username that is an address other than the account's own. */
export function refuseForeignAddress({ email, username }: { email: string; username: string }) {
  if (isUsernameFor(email, username)) return;
  const fields = [{ type: 'value_error', path: ['username'], msg: USERNAME_RULE }];
  throw new AppError('validation_failed', USERNAME_RULE, { fields });
}

/** Throws conflict for the last active admin: only the command line could create another. */
export async function refuseLastAdmin({ orm }: Session, user: User): Promise<void> {
  if (user.role !== 'admin' || !user.is_active) return;
  const isOther = and(eq(users.role, 'admin'), eq(users.is_active, true), ne(users.id, user.id));
  const others = await orm.select({ id: users.id }).from(users).where(isOther).limit(1);
  if (others.length === 0) throw new AppError('conflict', 'This is the last active admin');
}

/** Throws email_taken or username_taken for a violated unique index of accounts, else `error`. */
export function rethrowTaken(error: unknown): never {
  throw takenError(error) ?? error;
}

/** The error for a violated unique index of accounts; undefined for any other error. */
function takenError(error: unknown): AppError | undefined {
  const column = uniqueViolation(error);
  if (column === 'users.email_key') return emailTaken();
  if (column === 'users.username_key') return usernameTaken();
  return undefined;
}

export function isTakenError(error: unknown): boolean {
  return error instanceof AppError && /^(email|username)_taken$/.test(error.code);
}

export function emailTaken(): AppError {
  return new AppError('email_taken', 'Email already registered');
}

export function usernameTaken(): AppError {
  return new AppError('username_taken', 'Username already registered');
}

export function userNotFound(): AppError {
  return new AppError('not_found', 'User not found');
}

const userById = prepare<{ id: number }, User[]>((orm) =>
  orm
    .select()
    .from(users)
    .where(and(eq(users.id, sql.placeholder('id')), isNotRemoved(users.id))),
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
const insertUser = prepare<NewUser & Record<string, unknown>, User[]>((orm) =>
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
      updated_at: sql.placeholder('updated_at'),
    })
    .returning(),
);
