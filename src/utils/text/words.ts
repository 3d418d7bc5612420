/** Maximum words of a query: each one costs a scan of its items. */
const MAX_WORDS = 32;
/** Shorter words are not treated as prefixes. */
const MIN_START = 2;

/**
 * Scripts that write words without spaces, and Hangul, which attaches particles to words. Their text
 * is searched by pairs of adjacent letters.
 */
const JOINED = `[\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{scx=Bopomofo}\\p{scx=Yi}\\p{scx=Hangul}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmer}\\p{scx=Myanmar}\\p{scx=Javanese}\\p{scx=Balinese}\\p{scx=Tai_Le}\\p{scx=New_Tai_Lue}\\p{scx=Tai_Tham}]`;
const JOINED_LETTER = `[${JOINED}&&\\p{L}]`;
const JOINED_RUN = new RegExp(`${JOINED_LETTER}[${JOINED}&&[\\p{L}\\p{M}]]*`, 'v');
const JOINED_RUNS = new RegExp(JOINED_RUN, 'gv');
const MARK = /\p{M}/u;

const SPACED_LETTER = `[[\\p{L}\\p{N}\\p{Co}]--${JOINED}]`;
const SPACED_WORD = new RegExp(`${SPACED_LETTER}[[\\p{L}\\p{M}\\p{N}\\p{Co}]--${JOINED}]*`, 'gv');

/** Characters without meaning inside a run: zero-width spaces, joiners and variation selectors. */
const INVISIBLE = new RegExp(
  `(?<=${JOINED})[\\u00ad\\u200b-\\u200d\\u2060\\ufe00-\\ufe0f\\ufeff\\u{e0100}-\\u{e01ef}]+`,
  'gv',
);

/** Accents of Latin and Greek letters, points of Arabic and Hebrew, and the two dots of Cyrillic io. */
const ACCENTS =
  /(?<=[\p{sc=Latin}\p{sc=Greek}][\u0300-\u036f]*)[\u0300-\u036f]|(?<=[еЕ])\u0308|[\u0640\u064b-\u065f\u0670\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]/gu;

const ASCII = /^[\0-\x7f]*$/;
/**
 * Punctuation and the usual letters of Latin, Greek, Cyrillic, Hebrew and Arabic, which SQLite's
 * unicode61 folds as `foldWords` does.
 */
const PLAIN =
  /^[\0-\xa9\xab-\xb1\xb4-\xb8\xbb\xbf-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u01c3\u01cd-\u01df\u01e4-\u01ed\u01f0\u01f4-\u01fb\u0200-\u024f\u0391-\u03a1\u03a3-\u03a9\u03b1-\u03c9\u0402-\u0450\u0452-\u045f\u05d0-\u05ea\u0621\u0627-\u063a\u0641-\u064a\u067e\u0686\u0698\u06a9\u06af\u06cc\u1e00-\u1e99\u1e9b-\u1eff\u2010-\u205e]*$/;

/** A word of a query, folded. */
export interface Word {
  text: string;
  /** True if it also matches as the start of a longer word. */
  isStart: boolean;
  /** True for a letter or a pair of letters of a text without spaces, which match anywhere. */
  isPart: boolean;
}

/**
 * Returns the form in which words are compared: NFKC, lower case, without the accents of Latin and
 * Greek letters and without the points of Arabic and Hebrew.
 */
export function foldWords(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  const plain = text.normalize('NFKD').replace(ACCENTS, '').normalize('NFC');
  return lowerCase(plain.replace(INVISIBLE, ''));
}

/**
 * Returns the text that is indexed in place of `text`; undefined if `text` can be indexed unchanged.
 * In scripts without spaces, each letter and each pair of adjacent letters becomes a word.
 */
export function indexedWords(text: string): string | undefined {
  if (PLAIN.test(text)) return undefined;
  const folded = foldWords(text);
  if (JOINED_RUN.test(folded)) return folded.replace(JOINED_RUNS, indexedRun);
  const asItIs = lowerCase(text);
  const isSame = folded === asItIs || tokensOf(folded) === tokensOf(asItIs);
  return isSame ? undefined : folded;
}

/** Returns each letter of a run and each pair of adjacent letters, separated by spaces. */
function indexedRun(run: string): string {
  const letters = [...run];
  const hasMarks = MARK.test(run);
  const words = hasMarks ? letters.map(indexedPart) : letters;
  let text = ' ';
  for (const [index, word] of words.entries()) {
    if (!hasMarks || !MARK.test(letters[index] ?? '')) text += `${word} `;
    if (index + 1 < words.length) text += `${word}${words[index + 1]} `;
  }
  return text;
}

/** Returns a word in its indexed form. Marks would end a word there, so private characters replace them. */
export function indexedPart(text: string): string {
  return text.replace(/\p{M}/gu, (mark) =>
    String.fromCodePoint(MARKS + (mark.codePointAt(0) ?? 0)),
  );
}

/** Start of the private use plane, whose characters SQLite treats as letters. */
const MARKS = 0xf0000;

/**
 * Returns the distinct words of a query. The last one is a prefix, unless it is a single letter. In
 * texts without spaces each pair of letters is a word, or the only letter.
 */
export function wordsIn(query: string): Word[] {
  const folded = foldWords(query);
  const found = [
    ...Array.from(folded.matchAll(SPACED_WORD), ({ 0: text, index }) => ({
      index,
      words: [{ text, isStart: false, isPart: false }],
    })),
    ...Array.from(folded.matchAll(JOINED_RUNS), ({ 0: run, index }) => ({
      index,
      words: partsOf(run).map((text) => ({ text, isStart: false, isPart: true })),
    })),
  ].sort((a, b) => a.index - b.index);
  const words = new Map<string, Word>();
  for (const word of found.flatMap((it) => it.words)) words.set(word.text, word);
  const last = found.at(-1)?.words.at(-1);
  if (last && !last.isPart && [...last.text].length >= MIN_START) {
    words.set(last.text, { ...last, isStart: true });
  }
  return [...words.values()].slice(0, MAX_WORDS);
}

/** Returns a check for a folded text: does it contain all the words? */
export function holdsWords(words: readonly Word[]): (folded: string) => boolean {
  const checks = words.map(({ text, isStart, isPart }) => {
    if (isPart) return (folded: string) => folded.includes(text);
    const end = isStart ? '' : `(?!${SPACED_LETTER})`;
    const pattern = new RegExp(`(?<!${SPACED_LETTER})${text}${end}`, 'v');
    return (folded: string) => folded.includes(text) && pattern.test(folded);
  });
  return (folded) => checks.every((holds) => holds(folded));
}

/** Returns the pairs of adjacent letters in a run, or its only letter. */
function partsOf(run: string): string[] {
  const letters = [...run];
  if (letters.length === 1) return letters;
  return letters.slice(1).map((letter, index) => `${letters[index]}${letter}`);
}

/** Treats the final sigma as a sigma. */
function lowerCase(text: string): string {
  return text.toLowerCase().replaceAll('ς', 'σ');
}

function tokensOf(folded: string): string {
  return folded.replace(/[^\p{L}\p{N}\p{Co}]+/gu, ' ').trim();
}
