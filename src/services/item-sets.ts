import { type SQL, sql } from 'drizzle-orm';
import type { Session } from '../core/db.ts';
import { rowsOf } from '../core/dynamic-query.ts';
import { items, itemTags } from '../models/index.ts';
import { listed } from './item-filters.ts';
import type { ItemFilter, ItemListQuery, SortKey } from './item-list-query.ts';
import { searchSet } from './item-search.ts';
import { type Asked, equalStream, type Stream, setStream, walkStreams } from './item-streams.ts';

/**
 * From what a page is made: the items that words or the most selective filter find by an index,
 * where these are few or come in the order asked for; else a walk in that order.
 */
export async function streamsOf(
  session: Session,
  query: ItemListQuery,
  order: readonly SortKey[],
  asked: Asked,
): Promise<Stream[]> {
  if (query.q !== undefined) {
    const isRanked = order.some(({ field }) => field === 'relevance');
    return [setStream(await searchSet(session, query.q, isRanked, asked.bounds), order, asked)];
  }
  const first = order[0] as SortKey;
  const best = query.bin
    ? undefined
    : await smallestSet(session, query.filters, asked.bounds.few + 1);
  if (best && first.field === 'id' && best.filter.op === 'eq' && best.filter.field !== 'id') {
    return [equalStream(best.filter, asked)];
  }
  if (best && best.size <= asked.bounds.few) {
    const filters = asked.filters.filter((it) => it !== best.filter);
    return [setStream(best.set, order, { ...asked, filters })];
  }
  return walkStreams(order, asked);
}

interface FilterSet {
  filter: ItemFilter;
  set: SQL;
  /** Counted to one more than are sorted. */
  size: number;
}

async function smallestSet(
  session: Session,
  filters: readonly ItemFilter[],
  most: number,
): Promise<FilterSet | undefined> {
  let best: FilterSet | undefined;
  for (const filter of filters) {
    const set = setOf(filter);
    if (!set) continue;
    const enough = Math.min(most, best?.size ?? Number.MAX_SAFE_INTEGER);
    const counting = sql`select count(*) as size from (${set} limit ${enough})`;
    const [row] = await rowsOf<{ size: number }>(session, counting);
    const size = row?.size ?? 0;
    if (!best || size < best.size) best = { filter, set, size };
  }
  return best;
}

/** The ids that an index gives for a filter; undefined where there is none for it. */
function setOf({ field, op, values }: ItemFilter): SQL | undefined {
  if (op !== 'eq' && op !== 'in') return undefined;
  const wanted = listed(values);
  if (field === 'id')
    return sql`select distinct value as id from json_each(${JSON.stringify(values)})`;
  if (field === 'url') {
    return sql`select ${items.id} as id from ${items} indexed by items_url where ${items.url} in ${wanted} and ${items.url} is not null`;
  }
  if (field === 'owner_id') {
    return sql`select ${items.id} as id from ${items} indexed by items_owner_id where ${items.owner_id} in ${wanted}`;
  }
  if (field !== 'tags') return undefined;
  const ids = sql`select ${itemTags.item_id} as id from ${itemTags} where ${itemTags.tag} in ${wanted}`;
  return op === 'eq' ? ids : sql`select distinct id from (${ids})`;
}
