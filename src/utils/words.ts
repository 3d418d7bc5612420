/** More words than these are not searched for: each costs a walk through its own items. */
const MAX_WORDS = 32;
/** A shorter word is not taken for the start of another one. */
const MIN_START = 2;

const LETTER = '[\\p{L}\\p{N}\\p{Co}]';
const WORD = /[\p{L}\p{N}\p{Co}][\p{L}\p{M}\p{N}\p{Co}]*/gu;

/** A word as it was typed, and as words are compared. */
export interface Word {
  typed: string;
  folded: string;
  /** Whether it may be the start of a longer word. */
  isStart: boolean;
}

/** A word without case and without the diacritics of a to z, as SQLite's unicode61 compares it. */
export function foldWords(text: string): string {
  const plain = isAscii(text)
    ? text
    : text
        .normalize('NFD')
        .replace(/([a-z])[\u0300-\u036f]+/gi, '$1')
        .normalize('NFC');
  return plain.toLowerCase();
}

/** The words of a text, each once. The last one may be a start, unless it is a single letter. */
export function wordsIn(text: string): Word[] {
  const typed = text.match(WORD) ?? [];
  const last = typed.length - 1;
  const words = new Map<string, Word>();
  for (const [index, each] of typed.entries()) {
    const folded = foldWords(each);
    const isStart = index === last && [...folded].length >= MIN_START;
    words.set(folded, { typed: each, folded, isStart });
  }
  return [...words.values()].slice(0, MAX_WORDS);
}

/** Returns a check for a folded text: does it hold all the words? */
export function holdsWords(words: readonly Word[]): (folded: string) => boolean {
  const checks = words.map(({ folded: word, isStart }) => {
    const pattern = new RegExp(`(?<!${LETTER})${word}${isStart ? '' : `(?!${LETTER})`}`, 'u');
    return (folded: string) => folded.includes(word) && pattern.test(folded);
  });
  return (folded) => checks.every((holds) => holds(folded));
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 127) return false;
  }
  return true;
}
