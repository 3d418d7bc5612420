import { eq, type SQL, sql } from 'drizzle-orm';
import { fixed } from '../core/dynamic-query.ts';
import { items, itemTags, itemViews } from '../models/index.ts';
import { conditionOf, mayPass } from './item-filters.ts';
import type { Bounds, ItemFilter, ItemListQuery, SortField, SortKey } from './item-list-query.ts';
import type { Expressions } from './item-order.ts';
import { isListed } from './item-rows.ts';
import type { Caller } from './users.ts';

/** Items that a page is made from: walked in the order of the list, or few enough to be sorted. */
export interface Stream {
  /** FROM, with its index named, and what that index finds. */
  scan: SQL;
  where: SQL;
  /** The tables that are looked up for each row. */
  joins: SQL;
  /** What is asked of each row that the index finds. */
  residual: SQL[];
  at: Expressions;
  isSet: boolean;
}

/** What a list shows, and to whom. */
export interface Asked extends Pick<ItemListQuery, 'filters' | 'bin'> {
  caller: Caller | undefined;
  bounds: Bounds;
  /** Those of the filters that look at each row of a walk. */
  residual: readonly ItemFilter[];
  /** What every public row must also fulfil: nothing, unless accounts are being erased. */
  hidden: readonly SQL[];
}

const lookUpViews = fixed(sql`cross join ${itemViews} on ${itemViews.item_id} = ${items.id}`);
const lookUpItems = fixed(sql`cross join ${items} on ${items.id} = `);
const isPrivate = fixed(sql`${items.visibility} = 'private' and ${items.deleted_at} is null`);
const isPublic = fixed(isListed);
const isBinned = fixed(sql`${items.deleted_at} is not null`);

/** The items of `set`, which gives their `id` and, where it is sorted by, their `rank`. */
export function setStream(set: SQL, order: readonly SortKey[], asked: Asked): Stream {
  return sortedStream(set, order, asked, shownInSet(asked));
}

/** Reads of each item what it is sorted by, and its row only where that or a filter is in it. */
function sortedStream(
  set: SQL,
  order: readonly SortKey[],
  { filters, hidden }: Asked,
  ...shown: SQL[]
): Stream {
  const inViews = ({ field }: SortKey) => ['id', 'views', 'relevance'].includes(field);
  const needsRow = filters.length + hidden.length > 0 || !order.every(inViews);
  const lookUpRow = needsRow ? sql`${lookUpItems} picked.id` : sql``;
  return {
    scan: sql`(${set}) as picked`,
    where: sql`true`,
    joins: sql`cross join ${itemViews} on ${itemViews.item_id} = picked.id ${lookUpRow}`,
    residual: [...shown, ...hidden, ...filters.map(conditionOf)],
    at: expressions({ id: sql`picked.id`, relevance: sql`picked.rank` }),
    isSet: true,
  };
}

/** By id, the items that an index finds for a tag, a url or an owner. */
export function equalStream(filter: ItemFilter, asked: Asked): Stream {
  const [value] = filter.values;
  const others = asked.residual.filter((it) => it !== filter);
  const residual = [shownTo(asked), ...asked.hidden, ...others.map(conditionOf)];
  if (filter.field === 'tags') {
    return {
      scan: sql`${itemTags}`,
      where: sql`${itemTags.tag} = ${value}`,
      joins: sql`${lookUpItems} ${itemTags.item_id} ${lookUpViews}`,
      residual,
      at: expressions({ id: sql`${itemTags.item_id}` }),
      isSet: false,
    };
  }
  return filter.field === 'url'
    ? itemStream('items_url', sql`${items.url} = ${value} and ${items.url} is not null`, residual)
    : itemStream('items_owner_id', sql`${items.owner_id} = ${value}`, residual);
}

/** What everybody sees, and beside it what the caller alone sees; or what is in the bin. */
export function walkStreams(order: readonly SortKey[], asked: Asked): Stream[] {
  const { field } = order[0] as SortKey;
  const { caller, bin, filters } = asked;
  if (bin && caller) return [binStream(order, caller, asked)];
  const streams = [];
  if (mayPass(filters, 'visibility', 'public')) streams.push(listedStream(field, asked));
  const mayBeOwn = mayPass(filters, 'visibility', 'private') && caller;
  if (mayBeOwn && mayPass(filters, 'owner_id', caller.id)) {
    streams.push(privateStream(order, caller, asked));
  }
  return streams;
}

const LISTED_INDEXES = {
  id: 'items_listed_id',
  created_at: 'items_listed_created_at',
  updated_at: 'items_listed_updated_at',
  title: 'items_listed_title',
} as const;

const PRIVATE_INDEXES = {
  id: 'items_private_id',
  created_at: 'items_private_created_at',
  updated_at: 'items_private_updated_at',
  title: 'items_private_title',
} as const;

function isIndexed(field: SortField): field is keyof typeof LISTED_INDEXES {
  return field in LISTED_INDEXES;
}

function listedStream(field: SortField, asked: Asked): Stream {
  const residual = [...asked.hidden, ...without(asked.residual, 'visibility').map(conditionOf)];
  if (isIndexed(field)) return itemStream(LISTED_INDEXES[field], isPublic, residual);
  return {
    scan: sql`${itemViews} indexed by item_views_all`,
    where: sql`${itemViews.is_listed} = 1`,
    joins: sql`${lookUpItems} ${itemViews.item_id}`,
    residual,
    at: expressions({ id: sql`${itemViews.item_id}` }),
    isSet: false,
  };
}

function privateStream(order: readonly SortKey[], caller: Caller, asked: Asked): Stream {
  const { field } = order[0] as SortKey;
  const where = sql`${eq(items.owner_id, caller.id)} and ${isPrivate}`;
  if (!isIndexed(field)) {
    return sortedStream(newest('items_private_id', where, asked), order, asked);
  }
  const residual = without(asked.residual, 'visibility', 'owner_id').map(conditionOf);
  return itemStream(PRIVATE_INDEXES[field], where, residual);
}

function binStream(order: readonly SortKey[], caller: Caller, asked: Asked): Stream {
  const { field } = order[0] as SortKey;
  const where = sql`${eq(items.owner_id, caller.id)} and ${isBinned}`;
  if (field !== 'id') return sortedStream(newest('items_binned', where, asked), order, asked);
  return itemStream('items_binned', where, asked.residual.map(conditionOf));
}

/** Ids for an order that no index has: the newest, as many as are sorted at most. */
function newest(index: string, where: SQL, { bounds }: Asked): SQL {
  return sql`select ${items.id} as id from ${items} indexed by ${sql.raw(index)} where ${where} order by ${items.id} desc limit ${bounds.most}`;
}

function itemStream(index: string, where: SQL, residual: SQL[]): Stream {
  const scan = sql.raw(`"items" indexed by ${index}`);
  return { scan, where, joins: lookUpViews, residual, at: expressions({}), isSet: false };
}

/** Relevance is a set's own. */
const COLUMNS: Record<SortField, SQL> = {
  id: fixed(sql`${items.id}`),
  created_at: fixed(sql`${items.created_at}`),
  updated_at: fixed(sql`${items.updated_at}`),
  title: fixed(sql`${items.title}`),
  views: fixed(sql`${itemViews.views}`),
  relevance: sql`null`,
};

function expressions(own: Partial<Record<SortField, SQL>>): Expressions {
  return (field) => own[field] ?? COLUMNS[field];
}

function shownTo({ caller }: Asked): SQL {
  if (!caller) return isPublic;
  const own = eq(items.owner_id, caller.id);
  return sql`(${items.deleted_at} is null and (${items.visibility} = 'public' or ${own}))`;
}

/** As `shownTo`, by what is smaller than a row. */
function shownInSet({ caller, bin }: Asked): SQL {
  const own = (index: string, where: SQL) =>
    sql`exists (select 1 from ${items} indexed by ${sql.raw(index)} where ${items.id} = picked.id and ${items.owner_id} = ${caller?.id} and ${where})`;
  if (bin) return own('items_binned', isBinned);
  const isShown = sql`${itemViews.is_listed} = 1`;
  return caller ? sql`(${isShown} or ${own('items_private_id', isPrivate)})` : isShown;
}

function without(filters: readonly ItemFilter[], ...fields: ItemFilter['field'][]): ItemFilter[] {
  return filters.filter(({ field }) => !fields.includes(field));
}
