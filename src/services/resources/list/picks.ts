import { type Fragment, fragment, joined } from '../../../core/db/fragment.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Position } from '../../../utils/page.ts';
import type { Source } from './listing.ts';
import { namesOf, positionOf, type Reading, rowsById } from './listing.ts';
import { comparePositions, isAfter } from './order.ts';
import type { SortKey } from './query.ts';
import type { Entry, Stream } from './stream.ts';

/** Rows found in no useful order, few enough to be sorted in memory. */
export interface Picks {
  ids: readonly number[];
  /** Ranks by id, if the list is sorted by relevance. */
  ranks?: ReadonlyMap<number, number>;
  /** Visibility and filters. */
  condition: Fragment;
  /** True if there are more rows than could be sorted. */
  isCapped?: boolean;
}

/** Rows of one statement: 1 to 2 ms, more if filters parse large data. */
const CHUNK = 250;

/**
 * Sorts rows in memory, in the full order of the list. With `inGroups` it returns all of them
 * unsorted: they are merged with entries of an index, and sorted afterwards.
 */
export function createPicks(reading: Reading, picks: Picks, inGroups = false): Stream {
  const { order, bounds } = reading;
  return {
    batches: async function* (from, limit) {
      const first = createFirst(order, limit);
      const all: Entry[] = [];
      for await (const positions of positionsOf(reading, picks)) {
        if (inGroups) all.push(...positions.map((position) => ({ position })));
        else for (const it of positions) if (!from || isAfter(order, it, from)) first.add(it);
      }
      const entries = inGroups ? all : first.positions.map((position) => ({ position }));
      const isFull = !inGroups && entries.length >= limit;
      yield { entries, upTo: isFull ? entries.at(-1)?.position : undefined, looked: 0 };
    },
    count: async () => {
      let total = 0;
      for await (const some of positionsOf(reading, picks)) total += some.length;
      return { total, total_is_capped: picks.isCapped ?? picks.ids.length >= bounds.most };
    },
  };
}

/** The positions of the picks that match the conditions, in batches. */
export async function* positionsOf(
  reading: Reading,
  { ids, ranks, condition }: Picks,
): AsyncGenerator<Position[]> {
  const names = namesOf(reading, false);
  for (let start = 0; start < ids.length; start += CHUNK) {
    const rows = await rowsById(reading, ids.slice(start, start + CHUNK), names, condition);
    yield rows.map((row) => positionOf(reading, row, ranks?.get(row.id)));
    await reading.pace();
  }
}

/** The ids of the entries of sources, each once; the newest `most` of each. */
export async function idsOf(
  { session }: Reading,
  sources: readonly Source[],
  most: number,
): Promise<number[]> {
  const each = sources.map(({ from, where, id }) => {
    const newest = fragment`select ${id} as id from ${from} where ${where} order by ${id} desc limit ${most}`;
    return fragment`select id from (${newest})`;
  });
  const query = fragment`select json_group_array(id) as ids from (${joined(each, ' union all ')})`;
  const [row] = await rowsOf<{ ids: string }>(session, query);
  return [...new Set(JSON.parse(row?.ids ?? '[]') as number[])];
}

/** The number of entries of sources, up to `enough`. */
export async function sizeOf(
  { session }: Reading,
  sources: readonly Source[],
  enough: number,
): Promise<number> {
  if (sources.length === 0) return 0;
  const each = sources.map(({ from, where }) => fragment`select 1 from ${from} where ${where}`);
  const some = fragment`${joined(each, ' union all ')} limit ${enough}`;
  const query = fragment`select count(*) as size from (${some})`;
  return (await rowsOf<{ size: number }>(session, query))[0]?.size ?? 0;
}

/** Collects the first `limit` of the positions added to it, in order. */
function createFirst(order: readonly SortKey[], limit: number) {
  const positions: Position[] = [];
  return {
    positions,
    add: (position: Position): void => {
      const last = positions[limit - 1];
      if (last && comparePositions(order, position, last) >= 0) return;
      let [low, high] = [0, positions.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        const other = positions[middle] as Position;
        if (comparePositions(order, other, position) < 0) low = middle + 1;
        else high = middle;
      }
      positions.splice(low, 0, position);
      if (positions.length > limit) positions.pop();
    },
  };
}
