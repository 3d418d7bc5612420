import type { AnyActor } from '../../core/actor.ts';
import { uniqueViolation } from '../../core/db/storage-error.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { NewUser, Role, User } from '../../models/index.ts';
import { isUsernameFor, USERNAME_RULE } from '../../utils/text/account.ts';
import { emailKey, nameKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import type { Audit } from '../audit/audit.ts';
import { insertUser } from './queries.ts';

/** What a new account is made from. */
export interface NewAccount {
  email: string;
  username: string;
  password: string;
  is_active?: boolean;
}

/** Of somebody who signs in by a provider. */
export interface OutsideAccount {
  email: string;
  username: string;
  /** Whether the provider has proved the address. */
  is_verified: boolean;
}

/** Makes the account and records it, in the caller's transaction. */
export async function insertAccount(
  audit: Audit,
  tx: Tx,
  row: NewUser,
  actor: AnyActor,
): Promise<User> {
  const [user] = (await insertUser(tx, row)) as [User];
  const details = { role: row.role };
  await audit.record(tx, actor, { action: 'user.created', user_id: user.id, details });
  return user;
}

/** Makes an account without a password, in the caller's transaction. */
export function insertOutsideAccount(
  { audit, now }: { audit: Audit; now(): Date },
  tx: Tx,
  actor: AnyActor,
  account: OutsideAccount,
): Promise<User> {
  const at = now();
  const email_verified_at = account.is_verified ? at.toISOString() : null;
  const row = { ...newUser(account, 'user', null, at), email_verified_at };
  return insertAccount(audit, tx, row, actor);
}

export function newUser(
  account: Omit<NewAccount, 'password'>,
  role: Role,
  password_hash: string | null,
  now: Date,
): NewUser {
  const { is_active = true } = account;
  const email = tidy(account.email);
  const username = tidy(account.username);
  const created_at = now.toISOString();
  const keys = { email_key: emailKey(email), username_key: nameKey(username) };
  return {
    email,
    username,
    ...keys,
    password_hash,
    email_verified_at: null,
    is_active,
    role,
    created_at,
    updated_at: created_at,
  };
}

/** Throws validation_failed for a username that reads as an address other than the own one. */
export function refuseForeignAddress({ email, username }: { email: string; username: string }) {
  if (isUsernameFor(email, username)) return;
  const fields = [{ type: 'value_error', path: ['username'], msg: USERNAME_RULE }];
  throw new AppError('validation_failed', USERNAME_RULE, { fields });
}

/** What a violated unique index of accounts means; undefined for any other error. */
export function takenError(error: unknown): AppError | undefined {
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
