import type { Db, Session } from '../core/db.ts';
import { StartupError } from '../core/exceptions.ts';
import { type NewUser, users } from '../models/index.ts';
import { fold } from '../utils/fold.ts';
import { type Audit, SYSTEM } from './audit.ts';
import { type ImportedAccount, readImportLine } from './import-line.ts';
import { userByEmail, userByUsername } from './user-queries.ts';

/** Accounts in one transaction: bounds how long an import holds up the writers of a server. */
const CHUNK = 500;
const MAX_USERNAME = 50;

export interface UsersImportDeps {
  db: Db;
  audit: Audit;
  now(): Date;
}

/** What is wrong with a line; the first line is 1. */
export interface BadLine {
  line: number;
  reasons: string[];
}

export interface CheckedImport {
  accounts: ImportedAccount[];
  bad: BadLine[];
}

export interface ImportCounts {
  imported: number;
  /** Whose email was registered before. */
  existing: number;
}

/** Accounts from elsewhere, with the hashes of their passwords. */
export const createUsersImport = (deps: UsersImportDeps) => ({
  /** Judges every line of JSON, empty ones aside, and writes nothing. */
  check: (text: string): Promise<CheckedImport> => check(deps.db.read, text),

  /**
   * Makes the accounts that are not there yet, without a mail to anyone. Throws StartupError
   * for a username that was taken since it was checked: chunks before it stay imported, and a
   * repeat counts them as existing.
   */
  write: async (accounts: readonly ImportedAccount[]): Promise<ImportCounts> => {
    const given = accounts.flatMap(({ username }) =>
      username === undefined ? [] : fold(username),
    );
    const reserved = new Set(given);
    let imported = 0;
    for (let start = 0; start < accounts.length; start += CHUNK) {
      imported += await writeChunk(deps, accounts.slice(start, start + CHUNK), reserved);
    }
    return { imported, existing: accounts.length - imported };
  },
});

async function check(read: Session, text: string): Promise<CheckedImport> {
  const result: CheckedImport = { accounts: [], bad: [] };
  const lines = new Map<string, number>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    if (raw.trim() === '') continue;
    const account = readImportLine(raw);
    const reasons = Array.isArray(account) ? account : await conflicts(read, account, line, lines);
    if (reasons.length > 0) result.bad.push({ line, reasons });
    else result.accounts.push(account as ImportedAccount);
  }
  return result;
}

/** What a new account has in common with an earlier line or an account. */
async function conflicts(
  read: Session,
  { email, username }: ImportedAccount,
  line: number,
  lines: Map<string, number>,
): Promise<string[]> {
  const reasons: string[] = [];
  const isFirst = (kind: string, value: string) => {
    const key = `${kind} ${fold(value)}`;
    const earlier = lines.get(key);
    if (earlier === undefined) lines.set(key, line);
    else reasons.push(`The ${kind} is that of line ${earlier}.`);
  };
  isFirst('email', email);
  // An account that is there already is left as it is: its names are no matter.
  const isThere = (await userByEmail(read, { key: fold(email) })).length > 0;
  if (username === undefined || isThere) return reasons;
  isFirst('username', username);
  const taken = await userByUsername(read, { key: fold(username) });
  if (taken.length > 0) reasons.push('The username is taken.');
  return reasons;
}

function writeChunk(
  { db, audit, now }: UsersImportDeps,
  accounts: ImportedAccount[],
  reserved: Set<string>,
) {
  const at = now().toISOString();
  return db.write(async (tx) => {
    let imported = 0;
    for (const account of accounts) {
      const known = await userByEmail(tx, { key: fold(account.email) });
      if (known.length > 0) continue;
      const row = rowOf(account, await freeUsername(tx, account, reserved), at);
      const [user] = await tx.orm.insert(users).values(row).returning({ id: users.id });
      const entry = { action: 'user.imported', actor_id: null, via: SYSTEM } as const;
      const details = { role: account.role };
      await audit.record(tx, { ...entry, user_id: user?.id ?? null, details });
      imported++;
    }
    return imported;
  });
}

/** The given name or, without one, the first free one that begins as is suggested. */
async function freeUsername(
  tx: Session,
  { email, username, suggestion }: ImportedAccount,
  reserved: Set<string>,
): Promise<string> {
  const isTaken = async (key: string) => (await userByUsername(tx, { key })).length > 0;
  if (username !== undefined) {
    if (!(await isTaken(fold(username)))) return username;
    throw new StartupError(`The username of ${email} was taken meanwhile.`);
  }
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : `-${number}`;
    const name = [...suggestion].slice(0, MAX_USERNAME - suffix.length).join('') + suffix;
    if (!reserved.has(fold(name)) && !(await isTaken(fold(name)))) return name;
  }
}

function rowOf(account: ImportedAccount, username: string, at: string) {
  const { email, password_hash, is_active, role, email_verified, created_at = at } = account;
  return {
    email,
    email_key: fold(email),
    username,
    username_key: fold(username),
    password_hash,
    email_verified_at: email_verified ? at : null,
    is_active,
    role,
    created_at,
    updated_at: at,
  } satisfies NewUser;
}
