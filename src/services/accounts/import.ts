import { SYSTEM } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { StartupError } from '../../core/exceptions.ts';
import type { NewUser, Role, User } from '../../models/users.ts';
import { JsonFault, parseJson } from '../../utils/json/parse.ts';
import { isUsernameFor, USERNAME_RULE } from '../../utils/text/account.ts';
import { byteLines, isBlank, withoutBom } from '../../utils/text/byte-lines.ts';
import { emailKey, isEmail, nameKey } from '../../utils/text/email.ts';
import { codePoints, isStorable, tidy } from '../../utils/text/text.ts';
import { timeOf } from '../../utils/time/time.ts';
import { timeBudget } from '../../utils/time/time-budget.ts';
import type { Audit } from '../audit/audit.ts';
import { freeUsername } from './free-username.ts';
import { findByEmail, findByUsername, insertAccount, newUser } from './rows.ts';

/** The time that one transaction may block the other writers of a running server. */
const CHUNK_MS = 25;
const MAX_LINE_BYTES = 65_536;

export interface UsersImportDeps {
  db: Db;
  audit: Audit;
  now(): Date;
}

/** A line that cannot be imported. Lines are numbered from 1. */
export interface BadLine {
  line: number;
  reasons: string[];
}

/** A line for an admin whose email belongs to an ordinary account, which stays unchanged. */
export interface UnpromotedAdmin {
  line: number;
  user: User;
}

export interface CheckedImport {
  accounts: ImportedAccount[];
  bad: BadLine[];
  unpromoted: UnpromotedAdmin[];
}

export interface ImportCounts {
  imported: number;
  /** Accounts whose email was already registered. */
  existing: number;
}

/** Imports accounts from other systems, with their password hashes. */
export const createUsersImport = (deps: UsersImportDeps) => ({
  /** Checks every line of JSON in `source`, except blank ones, and writes nothing. */
  check: (source: AsyncIterable<Uint8Array>): Promise<CheckedImport> => check(deps.db.read, source),

  /**
   * Creates the accounts that do not exist yet and sends no mail. Throws StartupError for a
   * username that was taken since the check: earlier chunks stay imported, and a repeated import
   * counts them as existing.
   */
  write: async (accounts: readonly ImportedAccount[]): Promise<ImportCounts> => {
    const names = accounts.flatMap(({ username }) => username ?? []);
    const reserved = new Set(names.map(nameKey));
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
  const result: CheckedImport = { accounts: [], bad: [], unpromoted: [] };
  const lines = new Map<string, number>();
  for await (const { line, bytes } of byteLines(withoutBom(source), MAX_LINE_BYTES)) {
    if (bytes && isBlank(bytes)) continue;
    const account = bytes
      ? readImportLine(bytes)
      : [`The line has more than ${MAX_LINE_BYTES} bytes.`];
    const reasons = Array.isArray(account) ? account : await conflicts(read, account, line, lines);
    if (Array.isArray(account) || reasons.length > 0) {
      result.bad.push({ line, reasons });
      continue;
    }
    result.accounts.push(account);
    if (account.role !== 'admin') continue;
    const user = await findByEmail(read, account.email);
    if (user?.role === 'user') result.unpromoted.push({ line, user });
  }
  return result;
}

/** The names that an account shares with an earlier line or an existing account, as sentences. */
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
  // An existing account stays unchanged, so the username of its line does not matter.
  if (username === undefined || (await findByEmail(read, email))) return reasons;
  isFirst('username', username);
  if (await findByUsername(read, username)) reasons.push('The username is taken.');
  return reasons;
}

/** Writes as many accounts from `start` on as fit in one transaction. */
function writeSome(
  { db, audit, now }: UsersImportDeps,
  accounts: readonly ImportedAccount[],
  start: number,
  reserved: Set<string>,
): Promise<ImportCounts> {
  return db.write(async (tx) => {
    const counts = { imported: 0, existing: 0 };
    const hasTime = timeBudget(CHUNK_MS);
    for (let index = start; index < accounts.length && hasTime(); index++) {
      const account = accounts[index] as ImportedAccount;
      if (await findByEmail(tx, account.email)) {
        counts.existing++;
        continue;
      }
      const row = rowOf(account, await usernameFor(tx, account, reserved), now());
      await insertAccount(audit, tx, SYSTEM, row, 'user.imported');
      counts.imported++;
    }
    return counts;
  });
}

/** The username of the line, or a free one that begins with its suggestion. */
async function usernameFor(
  tx: Session,
  { email, username, suggestion }: ImportedAccount,
  reserved: Set<string>,
): Promise<string> {
  if (username === undefined) return freeUsername(tx, suggestion, reserved);
  if (await findByUsername(tx, username)) {
    throw new StartupError(`The username of ${email} was taken since the check.`);
  }
  return username;
}

function rowOf(account: ImportedAccount, username: string, now: Date): NewUser {
  const { email, password_hash, is_active, role, email_verified, created_at } = account;
  const row = newUser({ email, username, is_active }, { role, password_hash, now });
  return {
    ...row,
    ...(created_at !== undefined && { created_at }),
    email_verified_at: email_verified ? row.updated_at : null,
  };
}

/** An account read from a line of an import. */
export interface ImportedAccount {
  email: string;
  /** Undefined: choose a free one that begins with `suggestion`. */
  username: string | undefined;
  suggestion: string;
  password_hash: string;
  is_active: boolean;
  role: Role;
  /** Undefined: the time of the import. */
  created_at: string | undefined;
  email_verified: boolean;
}

const NOT_AN_OBJECT = 'The line is not a JSON object.';

type Fields = Record<string, unknown>;

/** Higher costs would take seconds at every sign-in; the defaults of all libraries are far lower. */
const MAX_BCRYPT_COST = 16;
const MAX_ARGON2_KIB = 1_048_576;
const MAX_ARGON2_PASSES = 20;

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const ARGON2 = /^\$argon2id?\$v=19\$m=(\d{1,9}),t=(\d{1,4}),p=\d{1,3}\$[\w+/]{11,}\$[\w+/]{16,}$/;
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * Reads a line with Hutch's field names, PocketBase's (passwordHash, verified, created) or the
 * FastAPI template's (hashed_password, is_superuser, full_name). Returns the account, or every
 * problem of the line as a sentence that never contains the hash.
 */
function readImportLine(line: Uint8Array): ImportedAccount | string[] {
  const fields = parseObject(line);
  if (typeof fields === 'string') return [fields];
  const problems: string[] = [];
  const account = accountOf(fields, (problem) => void problems.push(problem));
  return problems.length > 0 ? problems : account;
}

/** The JSON object of a line, or the reason why there is none. */
function parseObject(line: Uint8Array): Fields | string {
  try {
    const value = parseJson(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Fields) : NOT_AN_OBJECT;
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    if (error.isFlaw) return `At ${error.path.join('.')}: ${error.message}.`;
    return error.kind === 'syntax' ? NOT_AN_OBJECT : `${error.message}.`;
  }
}

function accountOf(fields: Fields, report: (problem: string) => void): ImportedAccount {
  const email = pick(fields, 'email');
  const hash = pick(fields, 'password_hash', 'passwordHash', 'hashed_password');
  const flag = (fallback: boolean, ...names: string[]) =>
    readFlag(pick(fields, ...names), fallback, () => report(`${names[0]} must be true or false.`));
  if (typeof email !== 'string' || !isEmail(email)) report('The email is not a valid address.');
  if (!isHash(hash)) report('The password hash is not bcrypt, argon2id or argon2i.');
  const username = usernameOf(fields, report);
  if (username !== undefined && !isUsernameFor(String(email), username)) report(USERNAME_RULE);
  return {
    email: tidy(String(email)),
    username,
    suggestion: suggestionOf(fields),
    password_hash: String(hash),
    is_active: flag(true, 'is_active'),
    role: roleOf(fields, flag(false, 'is_superuser'), report),
    created_at: storedTime(pick(fields, 'created_at', 'created'), report),
    email_verified: flag(false, 'email_verified', 'verified'),
  };
}

/** The first value present. Exports write null and '' for missing values. */
function pick(fields: Fields, ...names: string[]): unknown {
  const name = names.find((it) => ![undefined, null, ''].includes(fields[it] as undefined));
  return name === undefined ? undefined : fields[name];
}

function isHash(hash: unknown): boolean {
  if (typeof hash !== 'string') return false;
  const [, cost] = hash.match(BCRYPT) ?? [];
  if (cost !== undefined) return Number(cost) >= 4 && Number(cost) <= MAX_BCRYPT_COST;
  const [, kib, passes] = hash.match(ARGON2) ?? [];
  return Number(kib) <= MAX_ARGON2_KIB && Number(passes) <= MAX_ARGON2_PASSES;
}

/** Accepts 0 and 1, which SQLite's own export writes. */
function readFlag(value: unknown, fallback: boolean, report: () => void): boolean {
  if (value === undefined) return fallback;
  if (value === true || value === 1) return true;
  if (value !== false && value !== 0) report();
  return false;
}

function usernameOf(fields: Fields, report: (problem: string) => void): string | undefined {
  const value = pick(fields, 'username');
  if (value === undefined) return undefined;
  const name = typeof value === 'string' ? tidy(value) : value;
  if (isUsername(name)) return name;
  report('The username must have 3 to 50 characters.');
  return undefined;
}

/** The full name if it is a valid username, else the part of the email before the @. */
function suggestionOf(fields: Fields): string {
  const value = pick(fields, 'full_name');
  const name = typeof value === 'string' ? tidy(value) : value;
  return isUsername(name) && isUsernameFor('', name)
    ? name
    : tidy(String(fields['email']))
        .replace(/@[^@]*$/, '')
        .padEnd(3, '_');
}

function isUsername(value: unknown): value is string {
  if (typeof value !== 'string' || !isStorable(value)) return false;
  const length = codePoints(value);
  return length >= 3 && length <= 50;
}

function roleOf(fields: Fields, isSuperuser: boolean, report: (problem: string) => void): Role {
  const role = pick(fields, 'role') ?? (isSuperuser ? 'admin' : 'user');
  if (role !== 'user' && role !== 'admin') report('The role must be user or admin.');
  return role as Role;
}

/** A time in its stored form. Without an offset it is UTC, as in both exports. */
function storedTime(value: unknown, report: (problem: string) => void): string | undefined {
  if (value === undefined) return undefined;
  const [text, offset] = (typeof value === 'string' && value.match(TIME)) || [];
  const withOffset = `${text?.replace(' ', 'T').replace(/([+-]\d\d)(\d\d)$/, '$1:$2')}${offset ? '' : 'Z'}`;
  const time = text && timeOf(withOffset);
  if (time) return time;
  report('created_at is not a time.');
  return undefined;
}
