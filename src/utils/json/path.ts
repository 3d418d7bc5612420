import { isKey, stringEnd } from './scan.ts';

const QUOTE = 0x22;
/** Characters of a key that a path shows. */
const MAX_KEY_LENGTH = 100;

/** The keys and indexes that lead to the token at byte `target` of valid JSON; to a key, its own. */
export function pathTo(bytes: Uint8Array, target: number): (string | number)[] {
  const path: (string | number)[] = [];
  // Where the latest string is; a colon makes it the key in the innermost object.
  let string: Span = [0, 0];
  for (let at = 0; at < target; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      string = spanOf(bytes, at);
      at = string[1] - 1;
    } else {
      step(path, String.fromCharCode(byte), () => keyIn(bytes, string));
    }
  }
  const last = spanOf(bytes, target);
  if (bytes[target] === QUOTE && isKey(bytes, last[1])) path[path.length - 1] = keyIn(bytes, last);
  return path;
}

type Span = readonly [start: number, end: number];

function spanOf(bytes: Uint8Array, start: number): Span {
  return [start, Math.abs(stringEnd(bytes, start))];
}

function step(path: (string | number)[], char: string, key: () => string): void {
  const last = path.length - 1;
  if (char === '{') path.push('');
  else if (char === '[') path.push(0);
  else if (char === '}' || char === ']') path.pop();
  else if (char === ':') path[last] = key();
  else if (char === ',' && typeof path[last] === 'number') path[last]++;
}

function keyIn(bytes: Uint8Array, [start, end]: Span): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
  return (JSON.parse(text) as string).slice(0, MAX_KEY_LENGTH).toWellFormed();
}
