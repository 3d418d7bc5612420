import type { Db } from '../../../core/db/db.ts';
import type { FairTurns } from '../../../core/fair-turns.ts';
import { type Cursors, readCursor } from '../../../core/security/cursors.ts';
import { endsOf } from './entries.ts';
import {
  conditionsOf,
  equalTo,
  type Listing,
  type Reading,
  rowsOfEntries,
  type Section,
  type Source,
  sortedBy,
} from './listing.ts';
import { isGrouped, orderOf, shapesOf } from './order.ts';
import { createPicks, idsOf, sizeOf } from './picks.ts';
import {
  BOUNDS,
  type Bounds,
  type Filter,
  type ListedRow,
  type ListPage,
  type ListQuery,
  type SortKey,
} from './query.ts';
import { sectionsWithin } from './sections.ts';
import { merged, regrouped, type Stream, takePage } from './stream.ts';
import { createWalk } from './walk.ts';

export interface ReadListDeps {
  db: Db;
  cursors: Cursors;
  turns: FairTurns;
  bounds?: Bounds;
}

/** A query, with what the caller may see. */
export interface ListRequest extends ListQuery {
  sections: readonly Section[];
  /** A cursor is valid for this, in addition to the query. */
  scope: unknown;
  rule?: Reading['rule'];
  /** The rows with the words of `q`. */
  searched?(reading: Reading, q: string): Promise<Stream>;
}

/**
 * A page of a list. Throws invalid_cursor for a cursor of another list, invalid_query if too many
 * rows share the first of several keys, and overloaded if too many long lists are being read.
 */
export async function readList(
  { db, cursors, turns, bounds = BOUNDS }: ReadListDeps,
  listing: Listing,
  request: ListRequest,
): Promise<ListPage<ListedRow>> {
  const { q, sort = defaultSort(q), limit, cursor, filters, columns, rule, searched } = request;
  const order = orderOf(sort);
  const scope = JSON.stringify([listing.name, request.scope, q, order, filters]);
  const from = readCursor(cursors, scope, cursor, ...shapesOf(order, isNumber(listing)));
  const pace = turns.paceFor(request.share ?? '');
  const sections = sectionsWithin(request.sections, filters);
  const reading = {
    listing,
    session: db.read,
    bounds,
    pace,
    order,
    filters,
    sections,
    columns,
    rule,
  };
  const isSearch = q !== undefined && searched !== undefined;
  const stream = isSearch ? await searched(reading, q) : await planOf(reading);
  const { entries, next } = await takePage(stream.batches(from, limit + 1), limit, bounds);
  const data = await rowsOfEntries(reading, entries);
  // Reading large rows takes long, and encoding the response does too.
  await pace();
  const next_cursor = next ? cursors.seal(scope, next) : null;
  const page = { next_cursor, has_more: next !== undefined, limit };
  return { data, page, ...(request.count && (await stream.count())) };
}

/** Newest first; with words, most relevant first. */
function defaultSort(q: string | undefined) {
  const isSearch = q !== undefined;
  return [{ field: isSearch ? 'relevance' : 'id', isDescending: !isSearch }];
}

function isNumber(listing: Listing): (field: string) => boolean {
  return (field) => field === 'relevance' || listing.columnOf(field).getSQLType() !== 'text';
}

/**
 * The list: the rows that an index finds for the most selective filter, if these are few or already
 * in the requested order; otherwise a walk in that order.
 */
async function planOf(reading: Reading): Promise<Stream> {
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

async function sumOf(streams: readonly Stream[]) {
  const counts = [];
  for (const stream of streams) counts.push(await stream.count());
  return {
    total: counts.reduce((sum, { total }) => sum + total, 0),
    total_is_capped: counts.some((it) => it.total_is_capped),
  };
}
