import type { Session } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { nameKey } from '../../utils/text/email.ts';
import { codePoints } from '../../utils/text/text.ts';
import { userByUsername } from './queries.ts';

const MIN = 3;
const MAX = 50;
/** Room for `-` and six digits. */
const MAX_BASE = 43;

/** A username that is free, after the first of `names` of which something is left. */
export async function freeUsername(tx: Tx, names: readonly string[]): Promise<string> {
  const base = names.map(cleaned).find((it) => it !== '') ?? 'user';
  let name = base;
  while (codePoints(name) < MIN || (await isUsernameTaken(tx, name))) name = numbered(base);
  return name;
}

/**
 * A username that begins as `name` and ends with six random digits. Counting up instead would
 * take as many look-ups as there are accounts of that name.
 */
export function numbered(name: string): string {
  const base = [...name].slice(0, MAX_BASE).join('');
  return `${base}-${sixDigits()}`;
}

/** What letters, digits, dots, `_` and `-` are left of a name or of what stands before its @. */
function cleaned(name: string): string {
  const [local = ''] = name.normalize('NFKC').split('@');
  const plain = local.replace(/\s+/g, '-').replace(/[^\p{L}\p{N}\p{M}._-]/gu, '');
  const short = [...plain].slice(0, MAX_BASE).join('');
  return short.length <= MAX ? short : '';
}

export async function isUsernameTaken(tx: Session, name: string): Promise<boolean> {
  return (await userByUsername(tx, { key: nameKey(name) })).length > 0;
}

function sixDigits(): string {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return String(value % 1_000_000).padStart(6, '0');
}
