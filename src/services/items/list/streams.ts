import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { AnyActor } from '../../../core/actor.ts';
import type { Session } from '../../../core/db/db.ts';
import { fixed, rowsOf } from '../../../core/db/query.ts';
import { items, itemTags, itemViews } from '../../../models/items.ts';
import { valueList } from '../../conditions.ts';
import { isListed } from '../rows.ts';
import { conditionOf, mayPass } from './filters.ts';
import type { Bounds, ItemFilter, ItemListQuery, SortField, SortKey } from './query.ts';

/** Returns the SQL of a sort field. */
export type Expressions = (field: SortField) => SQL;

/**
 * Items in the order of an index that contains only items the caller may see: public and own items
 * are separate streams, so no stream has to skip hidden items.
 */
export interface Stream {
  /** FROM with the name of the index, and the condition that the index serves. */
  scan: SQL;
  where: SQL;
  /** The tables joined for each row. */
  joins: SQL;
  /** Conditions checked for each row that the index finds. */
  residual: SQL[];
  at: Expressions;
}

/** The caller and conditions of a list. */
export interface ListScope extends Pick<ItemListQuery, 'filters' | 'bin'> {
  actor: AnyActor;
  /** The filters that are checked for each row of a walk. */
  residual: readonly ItemFilter[];
  /** Further conditions on public rows: none, unless accounts are being erased. */
  hidden: readonly SQL[];
}

/** Items found in no useful order, few enough to be sorted in memory. */
export interface Picks {
  ids: readonly number[];
  /** Ranks by id, if the list is sorted by relevance. */
  ranks?: ReadonlyMap<number, number>;
  /** Visibility and filters. */
  where: SQL[];
}

/** The sources of a page. */
export interface Sources {
  streams: Stream[];
  picks?: Picks;
}

/**
 * The sources of a list without words: the items that the most selective filter finds by an index,
 * if these are few or already in the requested order; otherwise a walk in that order.
 */
export async function sourcesOf(
  session: Session,
  order: readonly SortKey[],
  scope: ListScope,
  bounds: Bounds,
): Promise<Sources> {
  const first = order[0] as SortKey;
  const best = scope.bin ? undefined : await smallestSet(session, scope, bounds.few + 1);
  if (best && first.field === 'id' && best.filter.op === 'eq' && best.filter.field !== 'id') {
    return { streams: equalStreams(best.filter, scope) };
  }
  if (best && best.size <= bounds.few) {
    return { streams: [], picks: await picksOf(session, best.ids, scope) };
  }
  return walkSources(session, first, scope, bounds);
}

async function walkSources(
  session: Session,
  { field }: SortKey,
  scope: ListScope,
  { most }: Bounds,
): Promise<Sources> {
  const { actor, bin } = scope;
  if (bin && actor.id !== null && field !== 'id') {
    return { streams: [], picks: await picksOf(session, ownIds(actor.id, bin, most), scope) };
  }
  const streams = walkStreams(field, scope);
  const own = ownerOfPrivate(scope);
  if (!own || isIndexed(field)) return { streams };
  return { streams, picks: await picksOf(session, ownIds(own, bin, most), scope, true) };
}

/** The items whose ids a query returns. */
async function picksOf(
  session: Session,
  query: SQL,
  scope: ListScope,
  isPrivateOnly = false,
): Promise<Picks> {
  const listing = sql`select json_group_array(id) as ids from (${query})`;
  const [row] = await rowsOf<{ ids: string }>(session, listing);
  const ids = [...new Set(JSON.parse(row?.ids ?? '[]') as number[])];
  return { ids, where: whereOf(scope, isPrivateOnly) };
}

/** Conditions for visibility and for all filters. */
export function whereOf(scope: ListScope, isPrivateOnly = false): SQL[] {
  // The walk returns public items: an item published meanwhile would appear twice.
  const privateOnly = isPrivateOnly ? [sql`"items"."visibility" = 'private'`] : [];
  return [shownTo(scope), ...privateOnly, ...scope.filters.map(conditionOf)];
}

interface FilterSet {
  filter: ItemFilter;
  ids: SQL;
  /** Counted up to one more than the limit for sorting. */
  size: number;
}

async function smallestSet(
  session: Session,
  scope: ListScope,
  most: number,
): Promise<FilterSet | undefined> {
  let best: FilterSet | undefined;
  for (const filter of scope.filters) {
    const ids = idsOf(filter, scope);
    if (!ids) continue;
    const enough = Math.min(most, best?.size ?? Number.MAX_SAFE_INTEGER);
    const counting = sql`select count(*) as size from (${ids} limit ${enough})`;
    const [row] = await rowsOf<{ size: number }>(session, counting);
    const size = row?.size ?? 0;
    if (!best || size < best.size) best = { filter, ids, size };
  }
  return best;
}

/** The ids that an index finds for a filter; undefined without such an index. */
function idsOf(filter: ItemFilter, scope: ListScope): SQL | undefined {
  const { field, op, values } = filter;
  if (op !== 'eq' && op !== 'in') return undefined;
  if (field === 'id') {
    return sql`select distinct value as id from json_each(${JSON.stringify(values)})`;
  }
  return field === 'url' || field === 'owner_id' || field === 'tags'
    ? equalIds(filter, scope)
    : undefined;
}

const lookUpViews = fixed(sql`cross join ${itemViews} on ${itemViews.item_id} = ${items.id}`);
const lookUpItems = fixed(sql`cross join ${items} on ${items.id} = `);
const isPrivate = fixed(sql`${items.visibility} = 'private' and ${items.deleted_at} is null`);
const isPublic = fixed(isListed);
const isBinned = fixed(sql`${items.deleted_at} is not null`);
const hasUrl = fixed(sql`${items.url} is not null`);

/** Public items, and the caller's private items; or the items in the bin. */
function walkStreams(field: SortField, scope: ListScope): Stream[] {
  const { actor, bin } = scope;
  if (bin && actor.id !== null) {
    const where = sql`${eq(items.owner_id, actor.id)} and ${isBinned}`;
    return [itemStream('items_binned', where, scope.residual.map(conditionOf))];
  }
  const own = ownerOfPrivate(scope);
  return [
    ...(mayPass(scope.filters, 'visibility', 'public') ? [listedStream(field, scope)] : []),
    ...(own && isIndexed(field) ? [privateStream(`items_private_${field}`, own, scope)] : []),
  ];
}

/** The items that an index finds for a tag, a url or an owner, by id. */
function equalStreams(filter: ItemFilter, scope: ListScope): Stream[] {
  const others = scope.residual.filter((it) => it !== filter);
  const own = ownerOfPrivate(scope);
  const streams = mayPass(scope.filters, 'visibility', 'public')
    ? [equalStream(filter, undefined, others, scope.hidden)]
    : [];
  return own ? [...streams, equalStream(filter, own, others, [])] : streams;
}

/** The ids of visible items that equal one of the values of a filter; some appear twice. */
function equalIds({ field, values }: ItemFilter, scope: ListScope): SQL {
  const wanted = valueList(values);
  const viewers = [0, ...(scope.actor.id === null ? [] : [scope.actor.id])];
  if (field === 'tags') {
    const each = viewers.map(
      (viewer) =>
        sql`select ${itemTags.item_id} as id from ${itemTags} where ${itemTags.viewer_id} = ${viewer} and ${itemTags.tag} in ${wanted}`,
    );
    return sql.join(each, sql` union all `);
  }
  const column = field === 'url' ? items.url : items.owner_id;
  const each = viewers.map((viewer) => {
    const { index, where } = equalIndex(field, viewer === 0 ? undefined : viewer);
    return sql`select ${items.id} as id from ${items} indexed by ${sql.raw(index)} where ${column} in ${wanted} and ${where}`;
  });
  return sql.join(each, sql` union all `);
}

/** The ids of the newest `most` private or binned items of the caller. */
function ownIds(owner_id: number, bin: ItemListQuery['bin'], most: number): SQL {
  const [index, where] = bin ? ['items_binned', isBinned] : ['items_private_id', isPrivate];
  return sql`select ${items.id} as id from ${items} indexed by ${sql.raw(index)} where ${eq(items.owner_id, owner_id)} and ${where} order by ${items.id} desc limit ${most}`;
}

/** The owner of the private items in a list: the caller, unless a filter excludes them. */
export function ownerOfPrivate({ actor: { id }, filters, bin }: ListScope): number | undefined {
  if (id === null || bin || !mayPass(filters, 'visibility', 'private')) return undefined;
  return mayPass(filters, 'owner_id', id) ? id : undefined;
}

/** The condition for items that the caller may see. */
export function shownTo({ actor, bin, hidden }: ListScope): SQL {
  if (actor.id === null) return and(isPublic, ...hidden) as SQL;
  const own = eq(items.owner_id, actor.id);
  if (bin) return sql`${own} and ${isBinned}`;
  const shown = sql`(${items.deleted_at} is null and (${items.visibility} = 'public' or ${own}))`;
  return and(shown, ...hidden) as SQL;
}

/** The sort fields with indexes items_listed_… and items_private_…. */
const INDEXED_SORTS = ['id', 'created_at', 'updated_at', 'title'] as const;

/** True if indexes have public and private items in this order. */
function isIndexed(field: SortField): field is (typeof INDEXED_SORTS)[number] {
  return (INDEXED_SORTS as readonly string[]).includes(field);
}

function listedStream(field: SortField, scope: ListScope): Stream {
  const residual = [...scope.hidden, ...without(scope.residual, 'visibility').map(conditionOf)];
  if (isIndexed(field)) return itemStream(`items_listed_${field}`, isPublic, residual);
  return {
    scan: sql`${itemViews} indexed by item_views_all`,
    where: sql`${itemViews.is_listed} = 1`,
    joins: sql`${lookUpItems} ${itemViews.item_id}`,
    residual,
    at: expressions({ id: sql`${itemViews.item_id}` }),
  };
}

function privateStream(index: string, owner_id: number, scope: ListScope): Stream {
  const where = sql`${eq(items.owner_id, owner_id)} and ${isPrivate}`;
  const residual = without(scope.residual, 'visibility', 'owner_id').map(conditionOf);
  return itemStream(index, where, residual);
}

/** Public items that equal a value or, with `own`, the private ones of that account. */
function equalStream(
  filter: ItemFilter,
  own: number | undefined,
  others: readonly ItemFilter[],
  hidden: readonly SQL[],
): Stream {
  const [value] = filter.values;
  const residual = [...hidden, ...without(others, 'visibility').map(conditionOf)];
  if (filter.field === 'tags') {
    return {
      scan: sql`${itemTags}`,
      where: sql`${itemTags.viewer_id} = ${own ?? 0} and ${itemTags.tag} = ${value}`,
      joins: sql`${lookUpItems} ${itemTags.item_id} ${lookUpViews}`,
      residual,
      at: expressions({ id: sql`${itemTags.item_id}` }),
    };
  }
  const { index, where } = equalIndex(filter.field, own);
  const column = filter.field === 'url' ? items.url : items.owner_id;
  return itemStream(index, sql`${column} = ${value} and ${where}`, residual);
}

function equalIndex(field: ItemFilter['field'], own: number | undefined) {
  if (field === 'url') {
    return own
      ? {
          index: 'items_private_url',
          where: sql`${eq(items.owner_id, own)} and ${isPrivate} and ${hasUrl}`,
        }
      : { index: 'items_listed_url', where: sql`${isPublic} and ${hasUrl}` };
  }
  return own
    ? { index: 'items_private_id', where: sql`${eq(items.owner_id, own)} and ${isPrivate}` }
    : { index: 'items_listed_owner', where: isPublic };
}

function itemStream(index: string, where: SQL, residual: SQL[]): Stream {
  const scan = sql.raw(`"items" indexed by ${index}`);
  return { scan, where, joins: lookUpViews, residual, at: expressions({}) };
}

/** The columns of the sort fields; relevance has none. */
const COLUMNS: Record<SortField, SQL> = {
  id: fixed(sql`${items.id}`),
  created_at: fixed(sql`${items.created_at}`),
  updated_at: fixed(sql`${items.updated_at}`),
  title: fixed(sql`${items.title}`),
  views: fixed(sql`${itemViews.views}`),
  relevance: sql`null`,
};

/** The SQL of sort fields in queries that join items and item_views. */
export function expressions(own: Partial<Record<SortField, SQL>>): Expressions {
  return (field) => own[field] ?? COLUMNS[field];
}

function without(filters: readonly ItemFilter[], ...fields: ItemFilter['field'][]): ItemFilter[] {
  return filters.filter(({ field }) => !fields.includes(field));
}
