import type { Session } from '../../core/db/db.ts';
import { nameKey } from '../../utils/text/email.ts';
import { codePoints } from '../../utils/text/text.ts';
import { findByUsername } from './rows.ts';

const MIN = 3;
const MAX = 50;
/** Leaves room for `-` and six digits. */
const MAX_BASE = 43;

/**
 * Returns `suggestion`, cut to 50 characters, if it is free and not in `reserved` (keys of names);
 * otherwise the suggestion with six random digits. Counting up instead would take as many look-ups
 * as there are accounts with that name.
 */
export async function freeUsername(
  session: Session,
  suggestion: string,
  reserved: ReadonlySet<string> = new Set(),
): Promise<string> {
  const base = first(suggestion, MAX_BASE);
  const isFree = async (name: string) =>
    codePoints(name) >= MIN &&
    !reserved.has(nameKey(name)) &&
    !(await findByUsername(session, name));
  let name = first(suggestion, MAX);
  while (!(await isFree(name))) name = `${base}-${sixDigits()}`;
  return name;
}

/** A suggestion for a username: the first of `names` that has usable characters, else `user`. */
export function suggestUsername(names: readonly string[]): string {
  return names.map(cleaned).find((it) => it !== '') ?? 'user';
}

/** The letters, digits, dots, `_` and `-` of a name, or of the part of an address before the @. */
function cleaned(name: string): string {
  const [local = ''] = name.normalize('NFKC').split('@');
  const plain = local.replace(/\s+/g, '-').replace(/[^\p{L}\p{N}\p{M}._-]/gu, '');
  const short = first(plain, MAX_BASE);
  return short.length <= MAX ? short : '';
}

function first(text: string, characters: number): string {
  return [...text].slice(0, characters).join('');
}

function sixDigits(): string {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return String(value % 1_000_000).padStart(6, '0');
}
