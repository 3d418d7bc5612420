import { type SQL, sql } from 'drizzle-orm';
import type { Session } from '../core/db.ts';
import { rowsOf } from '../core/dynamic-query.ts';
import type { Bounds } from './item-list-query.ts';

/** More words than these are not searched for: each costs a walk through its own items. */
const MAX_WORDS = 32;
/** What a word of the title, the description and the tags weighs. */
const WEIGHTS = sql`10.0, 1.0, 4.0`;

/**
 * The ids of items that hold all words of `q`, with their rank, the lowest first. Up to `most`
 * of them are ranked by bm25. That reads all there are, so of more only the newest take part, those
 * with all words in the title first. The last word is also the start of one, unless it is enough.
 */
export async function searchSet(
  session: Session,
  q: string,
  isRanked: boolean,
  { most }: Bounds,
): Promise<SQL> {
  const words = wordsOf(q);
  if (words.length === 0) return sql`select 0 as id, 0 as rank where false`;
  const whole = await matchesOf(session, words.join(' '), most);
  // Its start alone is found slower, and where there are too many already it would add nothing new.
  const isWhole = whole.size > most || !isStart(words);
  const { match, found, size } = isWhole
    ? whole
    : await matchesOf(session, `${words.join(' ')}*`, most);
  if (size <= most) return isRanked ? rankedSet(match) : found;
  const newest = sql`${found} order by rowid desc limit ${most}`;
  return isRanked ? tieredSet(match, newest, most) : newest;
}

/** What an expression of FTS5 finds, counted to one more than `most`. */
async function matchesOf(session: Session, match: string, most: number) {
  const found = sql`select rowid as id, 0 as rank from items_fts where items_fts match ${match}`;
  const counting = sql`select count(*) as size from (${found} limit ${most + 1})`;
  const [row] = await rowsOf<{ size: number }>(session, counting);
  return { match, found, size: row?.size ?? 0 };
}

function rankedSet(match: string): SQL {
  return sql`select rowid as id, bm25(items_fts, ${WEIGHTS}) as rank from items_fts where items_fts match ${match}`;
}

function tieredSet(match: string, newest: SQL, most: number): SQL {
  const inTitle = sql`select rowid from items_fts where items_fts match ${`{title} : (${match})`} order by rowid desc limit ${most}`;
  return sql`select id, id not in (${inTitle}) as rank from (${newest})`;
}

/** The words of a text, each once and quoted: FTS5 takes no quoted word for an operator. */
function wordsOf(q: string): string[] {
  const words = q.match(/[\p{L}\p{N}\p{Co}][\p{L}\p{M}\p{N}\p{Co}]*/gu);
  return [...new Set(words)].slice(0, MAX_WORDS).map((word) => `"${word}"`);
}

/** Whether the last word may be the start of one: it has two letters or more. */
function isStart(words: string[]): boolean {
  return [...(words.at(-1) ?? '')].length >= '""'.length + 2;
}
