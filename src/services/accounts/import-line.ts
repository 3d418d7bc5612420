import type { Role } from '../../models/index.ts';
import { JsonFault, parseJson } from '../../utils/json/parse.ts';
import { isUsernameFor, USERNAME_RULE } from '../../utils/text/account.ts';
import { isEmail } from '../../utils/text/email.ts';
import { codePoints, isStorable, tidy } from '../../utils/text/text.ts';
import { timeOf } from '../../utils/time/time.ts';

/** An account as a line of an import tells it. */
export interface ImportedAccount {
  email: string;
  /** None: a free one that begins as `suggestion`. */
  username: string | undefined;
  suggestion: string;
  password_hash: string;
  is_active: boolean;
  role: Role;
  /** None: the time of the import. */
  created_at: string | undefined;
  email_verified: boolean;
}

const NO_OBJECT = 'It is not a JSON object.';

type Fields = Record<string, unknown>;

/** Costs above these would take seconds at every sign-in; nobody's defaults come near. */
const MAX_BCRYPT_COST = 16;
const MAX_ARGON2_KIB = 1_048_576;
const MAX_ARGON2_PASSES = 20;

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const ARGON2 = /^\$argon2id?\$v=19\$m=(\d{1,9}),t=(\d{1,4}),p=\d{1,3}\$[\w+/]{11,}\$[\w+/]{16,}$/;
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * Reads a line: our names, those of PocketBase (passwordHash, verified, created) or those of the
 * FastAPI template (hashed_password, is_superuser, full_name). Gives the account, or all that is
 * wrong with the line as sentences, which never show the hash.
 */
export function readImportLine(line: Uint8Array): ImportedAccount | string[] {
  const fields = parseObject(line);
  if (typeof fields === 'string') return [fields];
  const problems: string[] = [];
  const account = accountOf(fields, (problem) => void problems.push(problem));
  return problems.length > 0 ? problems : account;
}

/** The object of a line, or a sentence that says why there is none. */
function parseObject(line: Uint8Array): Fields | string {
  try {
    const value = parseJson(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Fields) : NO_OBJECT;
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    if (error.isFlaw) return `At ${error.path.join('.')}: ${error.message}.`;
    return error.kind === 'syntax' ? NO_OBJECT : `${error.message}.`;
  }
}

function accountOf(fields: Fields, report: (problem: string) => void): ImportedAccount {
  const email = pick(fields, 'email');
  const hash = pick(fields, 'password_hash', 'passwordHash', 'hashed_password');
  const flag = (fallback: boolean, ...names: string[]) =>
    readFlag(pick(fields, ...names), fallback, () => report(`${names[0]} must be true or false.`));
  if (typeof email !== 'string' || !isEmail(email)) report('The email is not a valid address.');
  if (!isHash(hash)) report('The password hash is none of bcrypt, argon2id or argon2i.');
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

/** The first that is there; null and an empty text are nothing, as exports write them. */
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

/** SQLite's own export writes 0 and 1. */
function readFlag(value: unknown, fallback: boolean, report: () => void): boolean {
  if (value === undefined) return fallback;
  if (value === true || value === 1) return true;
  if (value !== false && value !== 0) report();
  return false;
}

function usernameOf(fields: Fields, report: (problem: string) => void): string | undefined {
  const given = pick(fields, 'username');
  if (given === undefined) return undefined;
  const name = typeof given === 'string' ? tidy(given) : given;
  if (isUsername(name)) return name;
  report('The username must have 3 to 50 characters.');
  return undefined;
}

/** The full name if it could be a username, else the email up to its @. */
function suggestionOf(fields: Fields): string {
  const given = pick(fields, 'full_name');
  const name = typeof given === 'string' ? tidy(given) : given;
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

/** The stored form of a time. Without an offset it is UTC, as in both exports. */
function storedTime(value: unknown, report: (problem: string) => void): string | undefined {
  if (value === undefined) return undefined;
  const [text, offset] = (typeof value === 'string' && value.match(TIME)) || [];
  const withOffset = `${text?.replace(' ', 'T').replace(/([+-]\d\d)(\d\d)$/, '$1:$2')}${offset ? '' : 'Z'}`;
  const time = text && timeOf(withOffset);
  if (time) return time;
  report('created_at is not a time.');
  return undefined;
}
