import { type SQL, sql } from 'drizzle-orm';
import type { Session } from '../../../core/db/db.ts';
import { rowsOf } from '../../../core/db/query.ts';
import { conditionOf } from './filters.ts';
import type { Picks } from './picks.ts';
import type { Bounds, ItemFilter, SortKey } from './query.ts';
import {
  type Asked,
  equalIds,
  equalStreams,
  isIndexed,
  ownerOfPrivate,
  ownIds,
  type Stream,
  shownTo,
  walkStreams,
} from './streams.ts';

/** What a page is made from. */
export interface Sources {
  streams: Stream[];
  picks?: Picks;
}

/**
 * Where a list without words comes from: the items that the most selective filter finds by an
 * index, where these are few or come in the order asked for; else a walk in that order.
 */
export async function sourcesOf(
  session: Session,
  order: readonly SortKey[],
  asked: Asked,
  bounds: Bounds,
): Promise<Sources> {
  const first = order[0] as SortKey;
  const best = asked.bin ? undefined : await smallestSet(session, asked, bounds.few + 1);
  if (best && first.field === 'id' && best.filter.op === 'eq' && best.filter.field !== 'id') {
    return { streams: equalStreams(best.filter, asked) };
  }
  if (best && best.size <= bounds.few) {
    return { streams: [], picks: await picksOf(session, best.ids, asked) };
  }
  return walkSources(session, first, asked, bounds);
}

async function walkSources(
  session: Session,
  { field }: SortKey,
  asked: Asked,
  { most }: Bounds,
): Promise<Sources> {
  const { actor, bin } = asked;
  if (bin && actor.id !== null && field !== 'id') {
    return { streams: [], picks: await picksOf(session, ownIds(actor.id, bin, most), asked) };
  }
  const streams = walkStreams(field, asked);
  const own = ownerOfPrivate(asked);
  if (!own || isIndexed(field)) return { streams };
  return { streams, picks: await picksOf(session, ownIds(own, bin, most), asked, true) };
}

/** Ids that a query gives, of items that pass what is asked. */
async function picksOf(
  session: Session,
  query: SQL,
  asked: Asked,
  isOwnAlone = false,
): Promise<Picks> {
  const listing = sql`select json_group_array(id) as ids from (${query})`;
  const [row] = await rowsOf<{ ids: string }>(session, listing);
  const ids = [...new Set(JSON.parse(row?.ids ?? '[]') as number[])];
  return { ids, where: whereOf(asked, isOwnAlone) };
}

/** What the caller may see, and the filters. */
export function whereOf(asked: Asked, isOwnAlone = false): SQL[] {
  // A listed item comes from the walk beside it: one that was listed meanwhile would be there twice.
  const alone = isOwnAlone ? [sql`"items"."visibility" = 'private'`] : [];
  return [shownTo(asked), ...alone, ...asked.filters.map(conditionOf)];
}

interface FilterSet {
  filter: ItemFilter;
  ids: SQL;
  /** Counted to one more than are sorted. */
  size: number;
}

async function smallestSet(
  session: Session,
  asked: Asked,
  most: number,
): Promise<FilterSet | undefined> {
  let best: FilterSet | undefined;
  for (const filter of asked.filters) {
    const ids = idsOf(filter, asked);
    if (!ids) continue;
    const enough = Math.min(most, best?.size ?? Number.MAX_SAFE_INTEGER);
    const counting = sql`select count(*) as size from (${ids} limit ${enough})`;
    const [row] = await rowsOf<{ size: number }>(session, counting);
    const size = row?.size ?? 0;
    if (!best || size < best.size) best = { filter, ids, size };
  }
  return best;
}

/** The ids that an index gives for a filter; undefined where there is none for it. */
function idsOf(filter: ItemFilter, asked: Asked): SQL | undefined {
  const { field, op, values } = filter;
  if (op !== 'eq' && op !== 'in') return undefined;
  if (field === 'id') {
    return sql`select distinct value as id from json_each(${JSON.stringify(values)})`;
  }
  return field === 'url' || field === 'owner_id' || field === 'tags'
    ? equalIds(filter, asked)
    : undefined;
}
