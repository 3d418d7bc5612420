import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { AnyActor } from '../../../core/actor.ts';
import { fixed } from '../../../core/db/query.ts';
import { items, itemTags, itemViews } from '../../../models/index.ts';
import { valueList } from '../../conditions.ts';
import { isListed } from '../rows.ts';
import { conditionOf, mayPass } from './filters.ts';
import type { Expressions } from './order.ts';
import type { ItemFilter, ItemListQuery, SortField } from './query.ts';

/**
 * Items in the order of an index that holds nothing but what the caller may see: what everybody
 * sees and what is the caller's own are apart. So a hidden item is never in the way.
 */
export interface Stream {
  /** FROM, with its index named, and what that index finds. */
  scan: SQL;
  where: SQL;
  /** The tables that are looked up for each row. */
  joins: SQL;
  /** What is asked of each row that the index finds. */
  residual: SQL[];
  at: Expressions;
}

/** What a list shows, and to whom. */
export interface Asked extends Pick<ItemListQuery, 'filters' | 'bin'> {
  actor: AnyActor;
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
const hasUrl = fixed(sql`${items.url} is not null`);

/** What everybody sees, and beside it what the caller alone sees; or what is in the bin. */
export function walkStreams(field: SortField, asked: Asked): Stream[] {
  const { actor, bin } = asked;
  if (bin && actor.id !== null) {
    const where = sql`${eq(items.owner_id, actor.id)} and ${isBinned}`;
    return [itemStream('items_binned', where, asked.residual.map(conditionOf))];
  }
  const own = ownerOfPrivate(asked);
  return [
    ...(mayPass(asked.filters, 'visibility', 'public') ? [listedStream(field, asked)] : []),
    ...(own && isIndexed(field) ? [privateStream(PRIVATE_INDEXES[field], own, asked)] : []),
  ];
}

/** By id, the items that an index finds for a tag, a url or an owner. */
export function equalStreams(filter: ItemFilter, asked: Asked): Stream[] {
  const others = asked.residual.filter((it) => it !== filter);
  const own = ownerOfPrivate(asked);
  const streams = mayPass(asked.filters, 'visibility', 'public')
    ? [equalStream(filter, undefined, others, asked.hidden)]
    : [];
  return own ? [...streams, equalStream(filter, own, others, [])] : streams;
}

/** The ids of items that equal one of the values of a filter, of all that the caller sees; some twice. */
export function equalIds({ field, values }: ItemFilter, asked: Asked): SQL {
  const wanted = valueList(values);
  const viewers = [0, ...(asked.actor.id === null ? [] : [asked.actor.id])];
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

/** The ids of the caller's own items that no one else sees, the newest, `most` of them. */
export function ownIds(owner_id: number, bin: ItemListQuery['bin'], most: number): SQL {
  const [index, where] = bin ? ['items_binned', isBinned] : ['items_private_id', isPrivate];
  return sql`select ${items.id} as id from ${items} indexed by ${sql.raw(index)} where ${eq(items.owner_id, owner_id)} and ${where} order by ${items.id} desc limit ${most}`;
}

/** Whose private items a list may show: the caller's, unless a filter rules them out. */
export function ownerOfPrivate({ actor: { id }, filters, bin }: Asked): number | undefined {
  if (id === null || bin || !mayPass(filters, 'visibility', 'private')) return undefined;
  return mayPass(filters, 'owner_id', id) ? id : undefined;
}

/** What the caller may see of the table of items. */
export function shownTo({ actor, bin, hidden }: Asked): SQL {
  if (actor.id === null) return and(isPublic, ...hidden) as SQL;
  const own = eq(items.owner_id, actor.id);
  if (bin) return sql`${own} and ${isBinned}`;
  const shown = sql`(${items.deleted_at} is null and (${items.visibility} = 'public' or ${own}))`;
  return and(shown, ...hidden) as SQL;
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

/** Whether an index has an owner's private items in this order. */
export function isIndexed(field: SortField): field is keyof typeof LISTED_INDEXES {
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
  };
}

function privateStream(index: string, owner_id: number, asked: Asked): Stream {
  const where = sql`${eq(items.owner_id, owner_id)} and ${isPrivate}`;
  const residual = without(asked.residual, 'visibility', 'owner_id').map(conditionOf);
  return itemStream(index, where, residual);
}

/** Of what everybody sees, or of the private items of `own`. */
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

/** Relevance is not in a table. */
const COLUMNS: Record<SortField, SQL> = {
  id: fixed(sql`${items.id}`),
  created_at: fixed(sql`${items.created_at}`),
  updated_at: fixed(sql`${items.updated_at}`),
  title: fixed(sql`${items.title}`),
  views: fixed(sql`${itemViews.views}`),
  relevance: sql`null`,
};

/** SQL of the sort fields, in queries that join items and item_views. */
export function expressions(own: Partial<Record<SortField, SQL>>): Expressions {
  return (field) => own[field] ?? COLUMNS[field];
}

function without(filters: readonly ItemFilter[], ...fields: ItemFilter['field'][]): ItemFilter[] {
  return filters.filter(({ field }) => !fields.includes(field));
}
