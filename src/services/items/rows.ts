import { and, asc, desc, eq, getTableColumns, gt, type SQL, sql } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { fixed } from '../../core/db/dynamic-query.ts';
import { prepare } from '../../core/db/query.ts';
import { type ItemRow, items, itemViews, type Visibility } from '../../models/index.ts';
import { codePoints, nfc } from '../../utils/text/text.ts';
import { firstRemoved, isNotRemoved } from '../accounts/removed.ts';
import type { CountedRows, Place } from '../skip.ts';

/** An item as stored, with its committed views. `tags` and `data` are JSON texts. */
export type Item = ItemRow & { views: number };

/** An item as v1 knows it. */
export type PlainItem = Omit<Item, 'tags' | 'data' | 'visibility' | 'version' | 'deleted_at'>;

/** What a caller decides of an item. */
export interface ItemFields {
  title: string;
  description: string;
  url: string | null;
  tags: string[];
  data: Record<string, unknown>;
  visibility: Visibility;
}

/** The columns of Item; for queries that join item_views. */
export const itemColumns = { ...getTableColumns(items), views: itemViews.views };
const {
  tags: _,
  data: _d,
  visibility: _v,
  version: _n,
  deleted_at: _a,
  ...plainColumns
} = itemColumns;

/** Whether the owner of an item was not deleted. Needs the row: no index for a list has it. */
export const isOwned = isNotRemoved(items.owner_id);

/**
 * Whether an item is public and not in the bin. Written out, because SQLite takes a partial index
 * only where a query says the very same.
 */
export const isListed = sql`${items.visibility} = 'public' and ${items.deleted_at} is null`;

const isOwnedSql = fixed(sql`${isOwned}`);

/** What every public row must also fulfil while the rows of deleted accounts are being erased. */
export async function hiddenNow(session: Session): Promise<SQL[]> {
  const [removed] = await firstRemoved(session, {});
  return removed?.id ? [isOwnedSql] : [];
}

export const itemById = prepare<{ id: number }, Item[]>((orm) =>
  orm
    .select(itemColumns)
    .from(items)
    .innerJoin(itemViews, eq(itemViews.item_id, items.id))
    .where(and(eq(items.id, sql.placeholder('id')), isOwned)),
);

export type ItemAccess = Pick<Item, 'owner_id' | 'visibility' | 'version' | 'deleted_at'>;
const { owner_id, visibility, version, deleted_at } = items;
/** What says who may see an item, and its version: all that a conditional read needs. */
export const accessById = prepare<{ id: number }, ItemAccess[]>((orm) =>
  orm
    .select({ owner_id, visibility, version, deleted_at })
    .from(items)
    .where(and(eq(items.id, sql.placeholder('id')), isOwned)),
);

export const listedItemById = prepare<{ id: number }, PlainItem[]>((orm) =>
  orm
    .select(plainColumns)
    .from(items)
    .innerJoin(itemViews, eq(itemViews.item_id, items.id))
    .where(and(eq(items.id, sql.placeholder('id')), isListed, isOwned)),
);

/** For placeAfter. */
export const COUNTED_ITEMS: CountedRows = {
  of: 'listed_items',
  ids: fixed(sql`select ${items.id} as id from ${items} where ${isListed} and ${isOwned}`),
};

export const listedItems = prepare<Place & { limit: number }, PlainItem[]>((orm) =>
  orm
    .select(plainColumns)
    .from(items)
    .innerJoin(itemViews, eq(itemViews.item_id, items.id))
    .where(and(isListed, isOwned, gt(items.id, sql.placeholder('after'))))
    .orderBy(asc(items.id))
    .limit(sql.placeholder('limit'))
    .offset(sql.placeholder('rest')),
);

export const popularItems = prepare<{ limit: number }, PlainItem[]>((orm) =>
  orm
    .select(plainColumns)
    .from(itemViews)
    .innerJoin(items, eq(items.id, itemViews.item_id))
    .where(and(sql`${itemViews.is_listed} = 1`, isOwned))
    .orderBy(desc(itemViews.views), asc(itemViews.item_id))
    .limit(sql.placeholder('limit')),
);

type Insert = Pick<Item, 'owner_id' | 'title' | 'description' | 'url' | 'tags' | 'data'> & {
  visibility: Visibility;
  now: string;
};

export const insertItem = prepare<Insert, ItemRow[]>((orm) =>
  orm
    .insert(items)
    .values({
      owner_id: sql.placeholder('owner_id'),
      title: sql.placeholder('title'),
      description: sql.placeholder('description'),
      url: sql.placeholder('url'),
      tags: sql.placeholder('tags'),
      data: sql.placeholder('data'),
      visibility: sql.placeholder('visibility'),
      created_at: sql.placeholder('now'),
      updated_at: sql.placeholder('now'),
    })
    .returning(),
);

/** Code points, as the checks of the table say. */
const MAX_TITLE = 200;
const MAX_DESCRIPTION = 10_000;

/** The columns that hold `fields`, those of them that are given. */
export function columnsOf({ tags, data, ...rest }: Partial<ItemFields>): Partial<ItemRow> {
  return composed({
    ...rest,
    ...(tags && { tags: JSON.stringify([...new Set(tags)]) }),
    ...(data && { data: JSON.stringify(data) }),
  });
}

/** Columns with title, description and tags in NFC, in which two spellings of a text are equal. */
export function composed(columns: Partial<ItemRow>): Partial<ItemRow> {
  const { title, description, tags } = columns;
  return {
    ...columns,
    ...(title !== undefined && { title: nfcWithin(title, MAX_TITLE) }),
    ...(description !== undefined && { description: nfcWithin(description, MAX_DESCRIPTION) }),
    ...(tags !== undefined && { tags: nfcTags(tags) }),
  };
}

/** A request is judged in NFC; a text from before, which may grow out of its limit, stays as it is. */
function nfcWithin(text: string, maxLength: number): string {
  const form = nfc(text);
  return form === text || codePoints(form) <= maxLength ? form : text;
}

function nfcTags(tags: string): string {
  return nfc(tags) === tags ? tags : JSON.stringify([...new Set(JSON.parse(tags).map(nfc))]);
}
