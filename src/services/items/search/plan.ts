import { sql } from 'drizzle-orm';
import type { Session } from '../../../core/db/db.ts';
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
  const { session, words, pace, bounds } = options;
  const sized: { expression: string; size: number }[] = [];
  // Not always the last word: a repeated word stays at its first position.
  const start = words.find(isLongStart);
  const completions = start ? await completionsOf(options, start.text) : [];
  const enough = Math.ceil(bounds.entries / (words.length + completions.length));
  for (const word of words) {
    const expression = expressionOf(word, completions);
    const entries = sql`select 1 from items_fts where items_fts match ${expression} limit ${enough}`;
    const [row] = await rowsOf<{ size: number }>(
      session,
      sql`select count(*) as size from (${entries})`,
    );
    sized.push({ expression, size: row?.size ?? 0 });
    await pace();
  }
  sized.sort((a, b) => a.size - b.size);
  return {
    expressions: sized.map(({ expression }) => expression),
    isRare: (sized[0]?.size ?? 0) < enough,
  };
}

/** Quoted, so that FTS5 does not read the word as an operator. */
function quoted(word: string): string {
  return `"${word}"`;
}

function expressionOf({ text, isStart, isPart }: Word, completions: readonly string[]): string {
  if (isPart) return quoted(indexedPart(text));
  if (!isStart) return quoted(text);
  if (!isLongStart({ text, isStart })) return `${quoted(text)}*`;
  return `(${[text, ...completions].map(quoted).join(' OR ')})`;
}

function isLongStart({ text, isStart }: Pick<Word, 'text' | 'isStart'>): boolean {
  return isStart && [...text].length > INDEXED_START;
}

/** The first words of the index with the prefix `start`. Reads one entry per word. */
async function completionsOf({ session, pace }: SearchOptions, start: string): Promise<string[]> {
  const words: string[] = [];
  for (let from = start; words.length < MAX_COMPLETIONS; ) {
    const next = sql`select term from items_fts_words where term >= ${from} limit 1`;
    const [row] = await rowsOf<{ term: string }>(session, next);
    if (!row?.term.startsWith(start)) break;
    words.push(row.term);
    // No word contains this character, so this is the next possible term after the word.
    from = `${row.term}\u0001`;
    await pace();
  }
  return words;
}

/** The same plan for titles alone. */
export function inTitle({ expressions, isRare }: Plan): Plan {
  return { expressions: expressions.map((it) => `{title} : ${it}`), isRare };
}
