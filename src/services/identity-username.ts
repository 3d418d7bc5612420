import type { Tx } from '../core/writer.ts';
import { fold } from '../utils/fold.ts';
import { codePoints } from '../utils/text.ts';
import { userByUsername } from './user-queries.ts';

const MIN = 3;
const MAX = 50;
/** Room for `-` and six digits. */
const MAX_BASE = 43;

/** A username that is free, after the first of `names` of which something is left. */
export async function freeUsername(tx: Tx, names: readonly string[]): Promise<string> {
  const base = names.map(cleaned).find((it) => it !== '') ?? 'user';
  let name = base;
  while (codePoints(name) < MIN || (await isTaken(tx, name))) name = `${base}-${sixDigits()}`;
  return name;
}

/** What letters, digits, dots, `_` and `-` are left of a name or of what stands before its @. */
function cleaned(name: string): string {
  const [local = ''] = name.normalize('NFKC').split('@');
  const plain = local.replace(/\s+/g, '-').replace(/[^\p{L}\p{N}\p{M}._-]/gu, '');
  const short = [...plain].slice(0, MAX_BASE).join('');
  return short.length <= MAX ? short : '';
}

async function isTaken(tx: Tx, name: string): Promise<boolean> {
  return (await userByUsername(tx, { key: fold(name) })).length > 0;
}

function sixDigits(): string {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return String(value % 1_000_000).padStart(6, '0');
}
