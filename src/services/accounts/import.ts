import { SYSTEM } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { StartupError } from '../../core/exceptions.ts';
import { type NewUser, type User, users } from '../../models/index.ts';
import { byteLines, isBlank, withoutBom } from '../../utils/text/byte-lines.ts';
import { emailKey, nameKey } from '../../utils/text/email.ts';
import { timeBudget } from '../../utils/time/time-budget.ts';
import type { Audit } from '../audit/audit.ts';
import { isUsernameTaken, numbered } from './free-username.ts';
import { type ImportedAccount, readImportLine } from './import-line.ts';
import { userByEmail, userByUsername } from './queries.ts';

/** How long one transaction may hold the writers of a server up. */
const CHUNK_MS = 25;
const MAX_USERNAME = 50;
const MAX_LINE_BYTES = 65_536;

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

/** A line for an admin whose email an account has that is none; it is left as it is. */
export interface NoAdmin {
  line: number;
  user: User;
}

export interface CheckedImport {
  accounts: ImportedAccount[];
  bad: BadLine[];
  noAdmins: NoAdmin[];
}

export interface ImportCounts {
  imported: number;
  /** Whose email was registered before. */
  existing: number;
}

/** Accounts from elsewhere, with the hashes of their passwords. */
export const createUsersImport = (deps: UsersImportDeps) => ({
  /** Judges every line of JSON in `source`, empty ones aside, and writes nothing. */
  check: (source: AsyncIterable<Uint8Array>): Promise<CheckedImport> => check(deps.db.read, source),

  /**
   * Makes the accounts that are not there yet, without a mail to anyone. Throws StartupError
   * for a username that was taken since it was checked: chunks before it stay imported, and a
   * repeat counts them as existing.
   */
  write: async (accounts: readonly ImportedAccount[]): Promise<ImportCounts> => {
    const given = accounts.flatMap(({ username }) =>
      username === undefined ? [] : nameKey(username),
    );
    const reserved = new Set(given);
    const counts = { imported: 0, existing: 0 };
    while (counts.imported + counts.existing < accounts.length) {
      const start = counts.imported + counts.existing;
      const { imported, existing } = await writeSome(deps, accounts, start, reserved);
      counts.imported += imported;
      counts.existing += existing;
    }
    return counts;
  },
});

async function check(read: Session, source: AsyncIterable<Uint8Array>): Promise<CheckedImport> {
  const result: CheckedImport = { accounts: [], bad: [], noAdmins: [] };
  const lines = new Map<string, number>();
  for await (const { line, bytes } of byteLines(withoutBom(source), MAX_LINE_BYTES)) {
    if (bytes && isBlank(bytes)) continue;
    const account = bytes ? readImportLine(bytes) : [`It has more than ${MAX_LINE_BYTES} bytes.`];
    const reasons = Array.isArray(account) ? account : await conflicts(read, account, line, lines);
    if (Array.isArray(account) || reasons.length > 0) {
      result.bad.push({ line, reasons });
      continue;
    }
    result.accounts.push(account);
    if (account.role !== 'admin') continue;
    const [user] = await userByEmail(read, { key: emailKey(account.email) });
    if (user?.role === 'user') result.noAdmins.push({ line, user });
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
  const isFirst = (kind: 'email' | 'username', value: string) => {
    const key = `${kind} ${kind === 'email' ? emailKey(value) : nameKey(value)}`;
    const earlier = lines.get(key);
    if (earlier === undefined) lines.set(key, line);
    else reasons.push(`Line ${earlier} has the same ${kind}.`);
  };
  isFirst('email', email);
  // An account that is there already is left as it is: its names are no matter.
  const isThere = (await userByEmail(read, { key: emailKey(email) })).length > 0;
  if (username === undefined || isThere) return reasons;
  isFirst('username', username);
  const taken = await userByUsername(read, { key: nameKey(username) });
  if (taken.length > 0) reasons.push('The username is taken.');
  return reasons;
}

/** Writes the accounts from `start` on, as many as there is time for. */
function writeSome(
  { db, audit, now }: UsersImportDeps,
  accounts: readonly ImportedAccount[],
  start: number,
  reserved: Set<string>,
): Promise<ImportCounts> {
  const at = now().toISOString();
  return db.write(async (tx) => {
    const counts = { imported: 0, existing: 0 };
    const hasTime = timeBudget(CHUNK_MS);
    for (let index = start; index < accounts.length && hasTime(); index++) {
      const account = accounts[index] as ImportedAccount;
      const known = await userByEmail(tx, { key: emailKey(account.email) });
      if (known.length > 0) {
        counts.existing++;
        continue;
      }
      const row = rowOf(account, await freeUsername(tx, account, reserved), at);
      const [user] = await tx.orm.insert(users).values(row).returning({ id: users.id });
      const entry = { user_id: user?.id ?? null, details: { role: account.role } };
      await audit.record(tx, SYSTEM, { action: 'user.imported', ...entry });
      counts.imported++;
    }
    return counts;
  });
}

/** The given name or, without one, a free one that begins as is suggested. */
async function freeUsername(
  tx: Session,
  { email, username, suggestion }: ImportedAccount,
  reserved: Set<string>,
): Promise<string> {
  if (username !== undefined) {
    if (!(await isUsernameTaken(tx, username))) return username;
    throw new StartupError(`The username of ${email} was taken meanwhile.`);
  }
  let name = [...suggestion].slice(0, MAX_USERNAME).join('');
  while (reserved.has(nameKey(name)) || (await isUsernameTaken(tx, name)))
    name = numbered(suggestion);
  return name;
}

function rowOf(account: ImportedAccount, username: string, at: string) {
  const { email, password_hash, is_active, role, email_verified, created_at = at } = account;
  return {
    email,
    email_key: emailKey(email),
    username,
    username_key: nameKey(username),
    password_hash,
    email_verified_at: email_verified ? at : null,
    is_active,
    role,
    created_at,
    updated_at: at,
  } satisfies NewUser;
}
