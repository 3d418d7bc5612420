import { and, asc, eq, getTableColumns, gt, sql } from 'drizzle-orm';
import { fixed, prepare } from '../../core/db/query.ts';
import { isNotRemoved } from '../../models/users.ts';
import type { ViewsTable } from '../../resources/declare/related-tables.ts';
import { type StoredOf, tableOf } from '../../resources/declare/stored.ts';
import { items as resource } from '../../resources/items.ts';
import { codePoints, nfc } from '../../utils/text/text.ts';
import type { CountedRows, Place } from '../skip.ts';

export const items = tableOf(resource);
export const itemViews = resource.definition.tables.views as ViewsTable;

export type ItemRow = StoredOf<typeof resource>;

/** An item as stored, with its committed views. `tags` and `data` are JSON texts. */
export type Item = ItemRow & { views: number };

/** An item as v1 shows it. */
export type PlainItem = Omit<Item, 'tags' | 'data' | 'visibility' | 'version' | 'deleted_at'>;

/** The fields of an item that its owner sets. */
export type ItemFields = {
  title: string;
  description: string;
  url: string | null;
  tags: string[];
  data: Record<string, unknown>;
  visibility: ItemRow['visibility'];
};

/** The names of ItemFields: the columns of an export, in its order, and of the history. */
export const EDITABLE_FIELDS = [
  'title',
  'description',
  'url',
  'tags',
  'data',
  'visibility',
] as const;

/** The columns of Item; for queries that join item_views. */
const itemColumns = { ...getTableColumns(items), views: itemViews.views };

/** The columns of PlainItem; for queries that join item_views. */
export const plainColumns = without(itemColumns, [
  'tags',
  'data',
  'visibility',
  'version',
  'deleted_at',
]);

/** True for items whose owner has not been deleted. Needs the row: no index for a list covers it. */
export const isOwned = isNotRemoved(items.owner_id);

/**
 * True for items that are public and not in the bin. Spelled exactly like the condition of the
 * partial indexes, because SQLite uses them only for the same text.
 */
const isListed = sql`${items.visibility} = 'public' and ${items.deleted_at} is null`;

export const listedItemById = prepare<{ id: number }, PlainItem[]>((orm) =>
  orm
    .select(plainColumns)
    .from(items)
    .innerJoin(itemViews, eq(itemViews.row_id, items.id))
    .where(and(eq(items.id, sql.placeholder('id')), isListed, isOwned)),
);

/** The rows that `placeAfter` skips in the list of v1. */
export const COUNTED_ITEMS: CountedRows = {
  of: 'listed_items',
  ids: fixed(sql`select ${items.id} as id from ${items} where ${isListed} and ${isOwned}`),
};

export const listedItems = prepare<Place & { limit: number }, PlainItem[]>((orm) =>
  orm
    .select(plainColumns)
    .from(items)
    .innerJoin(itemViews, eq(itemViews.row_id, items.id))
    .where(and(isListed, isOwned, gt(items.id, sql.placeholder('after'))))
    .orderBy(asc(items.id))
    .limit(sql.placeholder('limit'))
    .offset(sql.placeholder('rest')),
);

/** Code points, like the checks of the table. */
const MAX_TITLE = 200;
const MAX_DESCRIPTION = 10_000;

/** Columns with title, description and tags in NFC, so that different encodings of a text are equal. */
export function inNfc(columns: Partial<ItemRow>): Partial<ItemRow> {
  const { title, description, tags } = columns;
  return {
    ...columns,
    ...(title !== undefined && { title: nfcWithin(title, MAX_TITLE) }),
    ...(description !== undefined && { description: nfcWithin(description, MAX_DESCRIPTION) }),
    ...(tags !== undefined && { tags: nfcTags(tags) }),
  };
}

/** The text in NFC; a stored text that would exceed its limit in NFC stays unchanged. */
function nfcWithin(text: string, maxLength: number): string {
  const form = nfc(text);
  return form === text || codePoints(form) <= maxLength ? form : text;
}

function nfcTags(tags: string): string {
  return nfc(tags) === tags ? tags : JSON.stringify([...new Set(JSON.parse(tags).map(nfc))]);
}

function without<T extends object, K extends keyof T>(object: T, keys: readonly K[]): Omit<T, K> {
  const copy = { ...object };
  for (const key of keys) delete copy[key];
  return copy;
}
