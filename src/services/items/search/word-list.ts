import type { Session } from '../../../core/db/db.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import type { Position } from '../../../utils/page.ts';
import { type Word, wordsIn } from '../../../utils/text/words.ts';
import type { Counted } from '../list/count.ts';
import { isAfter } from '../list/order.ts';
import { createFirst, firstOfPicks, type Picks, positionsOfPicks } from '../list/picks.ts';
import type { Bounds, SortKey } from '../list/query.ts';
import { whereOf } from '../list/sets.ts';
import { type Asked, ownerOfPrivate } from '../list/streams.ts';
import type { Read } from '../list/walk.ts';
import { searchOwn } from './own.ts';
import { type Batch, createSearch, type Found } from './search.ts';

/** A list of the items that hold words. */
export interface WordList {
  session: Session;
  bounds: Bounds;
  pace: Pace;
  order: readonly SortKey[];
  asked: Asked;
  q: string;
}

const EMPTY: Read = { entries: [], next: undefined };

/** Up to `limit` entries after `from`. */
export async function readWords(
  list: WordList,
  from: Position | undefined,
  limit: number,
): Promise<Read> {
  const words = wordsIn(list.q);
  if (words.length === 0) return EMPTY;
  return searchOrder(list) === undefined
    ? readSorted(list, words, from, limit)
    : readInOrder(list, words, from, limit);
}

/** How many items hold the words, as far as they are counted. */
export async function countWords(list: WordList): Promise<Counted> {
  const words = wordsIn(list.q);
  if (words.length === 0) return { total: 0, total_is_capped: false };
  const { picks, isCapped } = await allFound(list, words);
  let total = 0;
  for await (const some of positionsOfPicks(list, picks)) total += some.length;
  return { total, total_is_capped: isCapped };
}

/** Which of its orders the search itself gives; undefined for another one. */
function searchOrder({ order }: WordList): 'ranked' | 'newest' | undefined {
  const text = order.map(({ field, isDescending }) => `${isDescending ? '-' : ''}${field}`).join();
  if (text === 'relevance,-id') return 'ranked';
  return text === '-id' ? 'newest' : undefined;
}

/** In an order of the search: no more is looked for than a page needs. */
async function readInOrder(
  list: WordList,
  words: Word[],
  from: Position | undefined,
  limit: number,
): Promise<Read> {
  const isRanked = searchOrder(list) === 'ranked';
  const placeOf = ({ id, rank }: Found): Position => (isRanked ? [rank, id] : [id]);
  const isBeyond = (found: Found, place: Position) => isAfter(list.order, placeOf(found), place);
  const { bounds, order } = list;
  const startedMs = performance.now();
  let own = (await foundOwn(list, words)).filter((it) => !from || isBeyond(it, from));
  if (!isRanked) own.sort((a, b) => b.id - a.id);
  const first = createFirst(order, limit + 1);
  for await (const { found, upTo } of listedMatches(list, words, from)) {
    const place = upTo && placeOf(upTo);
    const isIn = (it: Found) => !place || !isBeyond(it, place);
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

/** What everybody may see; of a bin nobody may see anything. */
async function* listedMatches(
  list: WordList,
  words: Word[],
  from?: Position,
): AsyncGenerator<Batch> {
  if (list.asked.bin) {
    yield { found: [], upTo: undefined };
    return;
  }
  const search = createSearch({ ...list, words });
  const [first, second] = (from ?? []) as number[];
  if (searchOrder(list) === 'newest') yield* search.newest(first);
  else if (first === undefined || second === undefined) yield* search.ranked();
  else yield* search.ranked({ rank: first, id: second });
}

/** The caller's own items that nobody else sees, by rank. */
async function foundOwn(list: WordList, words: Word[]): Promise<Found[]> {
  const { asked, bounds } = list;
  const own = asked.bin ? asked.actor.id : ownerOfPrivate(asked);
  if (!own) return [];
  return searchOwn({ ...list, words, most: bounds.most }, own, asked.bin ? 'bin' : 'private');
}

/** The positions of those that pass the filters, which descend as given. */
async function passing(list: WordList, found: Found[]): Promise<Position[]> {
  const positions: Position[] = [];
  for await (const some of positionsOfPicks(list, picksOf(list, found))) positions.push(...some);
  return positions;
}

function picksOf({ asked }: WordList, found: Found[]): Picks {
  return {
    ids: found.map(({ id }) => id),
    ranks: new Map(found.map(({ id, rank }) => [id, rank])),
    where: whereOf(asked),
  };
}

/** In any other order: the newest of all that are found are sorted. */
async function readSorted(
  list: WordList,
  words: Word[],
  from: Position | undefined,
  limit: number,
): Promise<Read> {
  const { picks } = await allFound(list, words);
  const first = await firstOfPicks(list, picks, from, limit + 1);
  const entries = first.slice(0, limit).map((position) => ({ position }));
  return { entries, next: first.length > limit ? entries.at(-1)?.position : undefined };
}

async function allFound(list: WordList, words: Word[]) {
  const { most } = list.bounds;
  const own = await foundOwn(list, words);
  const isRanked = list.order.some(({ field }) => field === 'relevance');
  const listed: Found[] = [];
  if (!list.asked.bin) {
    const search = createSearch({ ...list, words });
    for await (const { found } of isRanked ? search.ranked() : search.newest()) {
      listed.push(...found);
      if (listed.length >= most) break;
    }
  }
  const isCapped = listed.length >= most || own.length >= most;
  return { picks: picksOf(list, [...listed.slice(0, most), ...own]), isCapped };
}
