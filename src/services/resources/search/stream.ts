import type { FullText } from '../../../core/db/full-text.ts';
import type { Position } from '../../../utils/page.ts';
import { type Word, wordsIn } from '../../../utils/text/words.ts';
import type { Reading } from '../list/listing.ts';
import { conditionsOf } from '../list/listing.ts';
import { comparePositions } from '../list/order.ts';
import { createPicks, type Picks, positionsOf } from '../list/picks.ts';
import { type Batch, merged, type Stream } from '../list/stream.ts';
import { searchOwn } from './own.ts';
import type { SearchIndex } from './pending.ts';
import { createSearch, type Match } from './search.ts';

/** The searched fields of a resource, and the index of its listed rows. */
export interface Searched {
  fields: readonly string[];
  index: FullText | undefined;
  pending: SearchIndex | undefined;
}

/** The rows that contain the words of `q`. */
export async function searchStream(
  searched: Searched,
  reading: Reading,
  q: string,
): Promise<Stream> {
  const words = wordsIn(q);
  if (words.length === 0) return NOTHING;
  const hasListed = reading.sections.some(({ owner }) => owner === undefined);
  if (hasListed && !(await searched.pending?.catchUp(reading.pace))) return LATER;
  const own = await ownMatches(searched, reading, words);
  const count = async () => (await allMatches(searched, reading, words, own)).count();
  if (!nativeOrder(reading)) {
    return allMatches(searched, reading, words, own);
  }
  const ownPicks = createPicks(reading, picksOf(reading, own));
  return {
    batches: (from, limit) => {
      const listed = hasListed ? [listedBatches(searched, reading, words, from)] : [];
      return merged(reading.order, [...listed, ownPicks.batches(from, limit)]);
    },
    count,
  };
}

const NOTHING: Stream = {
  batches: async function* () {
    yield { entries: [], upTo: undefined, looked: 0 };
  },
  count: async () => ({ total: 0, total_is_capped: false }),
};

/** While many rows wait to be indexed: an empty page, with a cursor to the same place. */
const LATER: Stream = {
  batches: async function* (from = []) {
    yield { entries: [], upTo: from, looked: Number.POSITIVE_INFINITY };
  },
  count: async () => ({ total: 0, total_is_capped: true }),
};

/** The native order of the search that the list has; undefined for any other order. */
function nativeOrder({ order }: Reading): 'ranked' | 'newest' | undefined {
  const text = order.map(({ field, isDescending }) => `${isDescending ? '-' : ''}${field}`).join();
  if (text === 'relevance,-id') return 'ranked';
  return text === '-id' ? 'newest' : undefined;
}

/** Matches of one batch: their rows are checked at once. */
const CHUNK = 250;

/** The listed rows that match and pass the filters, in a native order of the search. */
async function* listedBatches(
  { index }: Searched,
  reading: Reading,
  words: readonly Word[],
  from: Position | undefined,
): AsyncGenerator<Batch> {
  const isRanked = nativeOrder(reading) === 'ranked';
  const search = createSearch({ ...reading, index: index as FullText, words });
  const [first, second] = (from ?? []) as number[];
  const after =
    first === undefined || second === undefined ? undefined : { rank: first, id: second };
  const placeOf = ({ id, rank }: Match): Position => (isRanked ? [rank, id] : [id]);
  for await (const { found, upTo } of isRanked ? search.ranked(after) : search.newest(first)) {
    for (let start = 0; start === 0 || start < found.length; start += CHUNK) {
      const some = found.slice(start, start + CHUNK);
      const entries: Batch['entries'] = [];
      for await (const positions of positionsOf(reading, picksOf(reading, some))) {
        entries.push(...positions.map((position) => ({ position })));
      }
      entries.sort((a, b) => comparePositions(reading.order, a.position, b.position));
      const last = start + CHUNK < found.length ? some.at(-1) : upTo;
      yield { entries, upTo: last && placeOf(last), looked: 0 };
    }
  }
}

/** Matches among the caller's private or binned rows, by rank. */
async function ownMatches(
  { fields }: Searched,
  reading: Reading,
  words: readonly Word[],
): Promise<Match[]> {
  const found: Match[] = [];
  for (const section of reading.sections.filter(({ owner }) => owner !== undefined)) {
    found.push(...(await searchOwn(reading, section, words, fields)));
  }
  return found;
}

function picksOf(reading: Reading, found: readonly Match[]): Picks {
  return {
    ids: found.map(({ id }) => id),
    ranks: new Map(found.map(({ id, rank }) => [id, rank])),
    condition: conditionsOf(reading, reading.sections),
  };
}

/** The matches in any order: the newest or best ones, sorted in memory. */
async function allMatches(
  { index }: Searched,
  reading: Reading,
  words: readonly Word[],
  own: readonly Match[],
): Promise<Stream> {
  const { most } = reading.bounds;
  const isRanked = reading.order.some(({ field }) => field === 'relevance');
  const listed: Match[] = [];
  if (index && reading.sections.some(({ owner }) => owner === undefined)) {
    const search = createSearch({ ...reading, index, words });
    for await (const { found } of isRanked ? search.ranked() : search.newest()) {
      listed.push(...found);
      if (listed.length >= most) break;
    }
  }
  const isCapped = listed.length >= most || own.length >= most;
  return createPicks(reading, {
    ...picksOf(reading, [...listed.slice(0, most), ...own]),
    isCapped,
  });
}
