import { allOf, type Fragment } from '../../../core/db/fragment.ts';
import { endsOf } from './entries.ts';
import { equalTo, type Section, type Source, sortedBy } from './listing.ts';
import { isGrouped } from './order.ts';
import { createPicks, idsOf, sizeOf } from './picks.ts';
import type { Filter, SortKey } from './query.ts';
import { isShown, type Reading } from './reading.ts';
import { merged, regrouped, type Stream } from './stream.ts';
import { createWalk } from './walk.ts';

/**
 * The list: the rows that an index finds for the most selective filter, if these are few or already
 * in the requested order; otherwise a walk in that order.
 */
export async function planOf(reading: Reading): Promise<Stream> {
  const { order, bounds } = reading;
  const isById = order[0]?.field === 'id';
  const best = await smallestSet(reading, isById);
  if (best && isById && best.filter.op === 'eq') return walkOf(reading, best.sources, best.filter);
  if (best && best.size <= bounds.few) {
    const ids = await idsOf(reading, best.sources, bounds.few);
    return createPicks(reading, { ids, condition: conditionsOf(reading, reading.sections) });
  }
  const { field } = order[0] as SortKey;
  return walkOf(
    reading,
    reading.sections.map((section) => sortedBy(reading.listing, section, field)),
  );
}

interface FilterSet {
  filter: Filter;
  /** The rows that an index finds, one source per section. */
  sources: Source[];
  /** Counted up to one more than the limit for sorting. */
  size: number;
}

/** The filter for equal values with the fewest rows. */
async function smallestSet(reading: Reading, isById: boolean): Promise<FilterSet | undefined> {
  const sets = reading.filters.flatMap((filter) => {
    const found = reading.sections.map((section) => equalTo(reading.listing, section, filter));
    const sources = found.filter((it) => it !== undefined);
    return sources.length > 0 && sources.length === found.length
      ? [{ filter, sources, size: 0 }]
      : [];
  });
  const [only] = sets;
  if (sets.length === 1 && isById && only?.filter.op === 'eq') return only;
  let best: FilterSet | undefined;
  for (const set of sets) {
    const enough = Math.min(reading.bounds.few + 1, best?.size ?? Number.MAX_SAFE_INTEGER);
    set.size = await sizeOf(reading, set.sources, enough);
    if (!best || set.size < best.size) best = set;
  }
  return best;
}

/** A source per section, read in order; a section without one is sorted in memory. */
async function walkOf(
  reading: Reading,
  sources: readonly (Source | undefined)[],
  served?: Filter,
): Promise<Stream> {
  const { order, bounds, sections } = reading;
  const isOnly = sections.length === 1;
  const hasWalk = sources.some((it) => it !== undefined);
  const inGroups = isGrouped(order) && hasWalk;
  const streams = await Promise.all(
    sections.map(async (section, index): Promise<Stream> => {
      const source = sources[index];
      if (source)
        return createWalk(reading, { source, isOnly, ...checksOf(reading, section, served) });
      const byId = sortedBy(reading.listing, section, 'id') as Source;
      const ids = await idsOf(reading, [byId], bounds.most);
      return createPicks(reading, { ids, condition: conditionsOf(reading, [section]) }, inGroups);
    }),
  );
  return {
    batches: (from, limit) => {
      const start = inGroups && from ? from.slice(0, 1) : from;
      const batches = merged(
        order,
        streams.map((it) => it.batches(start, limit)),
      );
      return inGroups ? regrouped(order, batches, from, bounds) : batches;
    },
    count: () => sumOf(streams),
  };
}

/** The ends of a walk, and the conditions that its index does not guarantee. */
function checksOf({ listing, order, filters }: Reading, section: Section, served?: Filter) {
  const ends = endsOf(filters, order[0] as SortKey);
  const rest = filters.filter(
    (it) => it !== ends.start && it !== ends.end && it !== served && !(it.field in section.known),
  );
  return {
    ends,
    residual: [...section.hidden, ...rest.map(listing.conditionOf)],
    isLight: rest.every(({ field }) => listing.isLight(field)),
  };
}

/** The conditions for rows that were found by their ids. */
export function conditionsOf(reading: Reading, sections: readonly Section[]): Fragment {
  return allOf([
    isShown({ ...reading, sections }),
    ...reading.filters.map(reading.listing.conditionOf),
  ]);
}

async function sumOf(streams: readonly Stream[]) {
  const counts = [];
  for (const stream of streams) counts.push(await stream.count());
  return {
    total: counts.reduce((sum, { total }) => sum + total, 0),
    total_is_capped: counts.some((it) => it.total_is_capped),
  };
}
