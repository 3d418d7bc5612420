import type { Session } from '../../../core/db/db.ts';
import { fragment } from '../../../core/db/fragment.ts';
import {
  type FullText,
  firstWordFrom,
  matching,
  matchOne,
  matchStart,
  matchTitle,
  matchWord,
} from '../../../core/db/full-text.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import { indexedPart, type Word } from '../../../utils/text/words.ts';

export interface SearchBounds {
  /** The number of newest matches whose titles are searched. */
  most: number;
  /** Index entries that one statement may read. */
  entries: number;
}

export interface SearchOptions {
  index: FullText;
  session: Session;
  words: readonly Word[];
  pace: Pace;
  bounds: SearchBounds;
}

/** Completions of the last word of a query: the first ones in alphabetical order. */
const MAX_COMPLETIONS = 50;
/** The longest prefix, in letters, that the index contains. */
const INDEXED_START = 3;

/** An expression for each word, rarest first; an item must match all of them. */
export interface Plan {
  expressions: readonly string[];
  /** True if the rarest word is rare enough for one statement to find all matches. */
  isRare: boolean;
}

/** Plans a search. Reads a bounded number of entries of each word. */
export async function planOf(options: SearchOptions): Promise<Plan> {
  const { index, session, words, pace, bounds } = options;
  const sized: { expression: string; size: number }[] = [];
  // Not always the last word: a repeated word stays at its first position.
  const start = words.find(isLongStart);
  const completions = start ? await completionsOf(options, start.text) : [];
  const enough = Math.ceil(bounds.entries / (words.length + completions.length));
  for (const word of words) {
    const expression = expressionOf(word, completions);
    const entries = fragment`select 1 ${matching(index, expression)} limit ${enough}`;
    const counting = fragment`select count(*) as size from (${entries})`;
    const [row] = await rowsOf<{ size: number }>(session, counting);
    sized.push({ expression, size: row?.size ?? 0 });
    await pace();
  }
  sized.sort((a, b) => a.size - b.size);
  return {
    expressions: sized.map(({ expression }) => expression),
    isRare: (sized[0]?.size ?? 0) < enough,
  };
}

function expressionOf({ text, isStart, isPart }: Word, completions: readonly string[]): string {
  if (isPart) return matchWord(indexedPart(text));
  if (!isStart) return matchWord(text);
  if (!isLongStart({ text, isStart })) return matchStart(text);
  return matchOne([text, ...completions].map(matchWord));
}

function isLongStart({ text, isStart }: Pick<Word, 'text' | 'isStart'>): boolean {
  return isStart && [...text].length > INDEXED_START;
}

/** The first words of the index with the prefix `start`. Reads one entry per word. */
async function completionsOf(
  { index, session, pace }: SearchOptions,
  start: string,
): Promise<string[]> {
  const words: string[] = [];
  for (let from = start; words.length < MAX_COMPLETIONS; ) {
    const [row] = await rowsOf<{ term: string }>(session, firstWordFrom(index, from));
    if (!row?.term.startsWith(start)) break;
    words.push(row.term);
    // No word contains this character, so this is the next possible term after the word.
    from = `${row.term}\u0001`;
    await pace();
  }
  return words;
}

/** The same plan for titles alone. */
export function inTitle({ index }: SearchOptions, { expressions, isRare }: Plan): Plan {
  return { expressions: expressions.map((it) => matchTitle(index, it)), isRare };
}
