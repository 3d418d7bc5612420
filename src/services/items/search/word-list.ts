import type { Session } from '../../../core/db/db.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import type { Position } from '../../../utils/page.ts';
import { type Word, wordsIn } from '../../../utils/text/words.ts';
import { createFirst, firstOfPicks, positionsOfPicks } from '../list/picks.ts';
import type { Bounds, SortKey } from '../list/query.ts';
import { isAfter } from '../list/ranges.ts';
import { type ListScope, ownerOfPrivate, type Picks, whereOf } from '../list/streams.ts';
import type { Counted, EntryPage } from '../list/walk.ts';
import { searchOwn } from './own.ts';
import { type Batch, createSearch, type Match } from './search.ts';

/** A list of the items that contain words. */
export interface WordList {
  session: Session;
  bounds: Bounds;
  pace: Pace;
  order: readonly SortKey[];
  scope: ListScope;
  q: string;
}

const EMPTY: EntryPage = { entries: [], next: undefined };

/** Reads up to `limit` entries after `from`. */
export async function readWords(
  list: WordList,
  from: Position | undefined,
  limit: number,
): Promise<EntryPage> {
  const words = wordsIn(list.q);
  if (words.length === 0) return EMPTY;
  return searchOrder(list) === undefined
    ? readSorted(list, words, from, limit)
    : readInOrder(list, words, from, limit);
}

/** The number of items that contain the words, up to the bounds. */
export async function countWords(list: WordList): Promise<Counted> {
  const words = wordsIn(list.q);
  if (words.length === 0) return { total: 0, total_is_capped: false };
  const { picks, isCapped } = await allMatches(list, words);
  let total = 0;
  for await (const some of positionsOfPicks(list, picks)) total += some.length;
  return { total, total_is_capped: isCapped };
}

/** The native order of the search that the list has; undefined for any other order. */
function searchOrder({ order }: WordList): 'ranked' | 'newest' | undefined {
  const text = order.map(({ field, isDescending }) => `${isDescending ? '-' : ''}${field}`).join();
  if (text === 'relevance,-id') return 'ranked';
  return text === '-id' ? 'newest' : undefined;
}

/** Reads in a native order of the search, and no further than the page needs. */
async function readInOrder(
  list: WordList,
  words: Word[],
  from: Position | undefined,
  limit: number,
): Promise<EntryPage> {
  const isRanked = searchOrder(list) === 'ranked';
  const placeOf = ({ id, rank }: Match): Position => (isRanked ? [rank, id] : [id]);
  const isBeyond = (found: Match, place: Position) => isAfter(list.order, placeOf(found), place);
  const { bounds, order } = list;
  const startedMs = performance.now();
  let own = (await ownMatches(list, words)).filter((it) => !from || isBeyond(it, from));
  if (!isRanked) own.sort((a, b) => b.id - a.id);
  const first = createFirst(order, limit + 1);
  for await (const { found, upTo } of listedMatches(list, words, from)) {
    const place = upTo && placeOf(upTo);
    const isIn = (it: Match) => !place || !isBeyond(it, place);
    for (const position of await passing(list, [...found, ...own.filter(isIn)]))
      first.add(position);
    own = own.filter((it) => !isIn(it));
    const entries = first.positions.slice(0, limit).map((position) => ({ position }));
    if (first.positions.length > limit) return { entries, next: entries.at(-1)?.position };
    if (!place) return { entries, next: undefined };
    if (performance.now() - startedMs > bounds.maxMs) return { entries, next: place };
  }
  return EMPTY;
}

/** Public matches; a bin contains none. */
async function* listedMatches(
  list: WordList,
  words: Word[],
  from?: Position,
): AsyncGenerator<Batch> {
  if (list.scope.bin) {
    yield { found: [], upTo: undefined };
    return;
  }
  const search = createSearch({ ...list, words });
  const [first, second] = (from ?? []) as number[];
  if (searchOrder(list) === 'newest') yield* search.newest(first);
  else if (first === undefined || second === undefined) yield* search.ranked();
  else yield* search.ranked({ rank: first, id: second });
}

/** Matches among the caller's private or binned items, by rank. */
async function ownMatches(list: WordList, words: Word[]): Promise<Match[]> {
  const { scope, bounds } = list;
  const own = scope.bin ? scope.actor.id : ownerOfPrivate(scope);
  if (!own) return [];
  return searchOwn({ ...list, words, most: bounds.most }, own, scope.bin ? 'bin' : 'private');
}

/** The positions of the matches that pass the filters. */
async function passing(list: WordList, found: Match[]): Promise<Position[]> {
  const positions: Position[] = [];
  for await (const some of positionsOfPicks(list, picksOf(list, found))) positions.push(...some);
  return positions;
}

function picksOf({ scope }: WordList, found: Match[]): Picks {
  return {
    ids: found.map(({ id }) => id),
    ranks: new Map(found.map(({ id, rank }) => [id, rank])),
    where: whereOf(scope),
  };
}

/** Reads in any other order: sorts the newest matches. */
async function readSorted(
  list: WordList,
  words: Word[],
  from: Position | undefined,
  limit: number,
): Promise<EntryPage> {
  const { picks } = await allMatches(list, words);
  const first = await firstOfPicks(list, picks, from, limit + 1);
  const entries = first.slice(0, limit).map((position) => ({ position }));
  return { entries, next: first.length > limit ? entries.at(-1)?.position : undefined };
}

async function allMatches(list: WordList, words: Word[]) {
  const { most } = list.bounds;
  const own = await ownMatches(list, words);
  const isRanked = list.order.some(({ field }) => field === 'relevance');
  const listed: Match[] = [];
  if (!list.scope.bin) {
    const search = createSearch({ ...list, words });
    for await (const { found } of isRanked ? search.ranked() : search.newest()) {
      listed.push(...found);
      if (listed.length >= most) break;
    }
  }
  const isCapped = listed.length >= most || own.length >= most;
  return { picks: picksOf(list, [...listed.slice(0, most), ...own]), isCapped };
}
