import { isNotNull, sql } from 'drizzle-orm';
import { check, index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

/** Most bytes of an item's data, as JSON in UTF-8. */
export const MAX_DATA_BYTES = 65_536;

export const items = sqliteTable(
  'items',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    owner_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    description: text().notNull(),
    url: text(),
    /** JSON list of texts; the table item_tags follows it by triggers. */
    tags: text().notNull().default('[]'),
    /** JSON object, as small as JSON.stringify makes it. */
    data: text().notNull().default('{}'),
    visibility: text({ enum: ['public', 'private'] })
      .notNull()
      .default('public'),
    /** Grows by one with each change, not with views: what an ETag is made from. */
    version: integer().notNull().default(1),
    created_at: text().notNull(),
    updated_at: text().notNull(),
    /** When it was put into the bin. */
    deleted_at: text(),
  },
  (table) => {
    // Written out: SQLite takes a partial index only where a query says the same, and no parameter.
    const isListed = sql`${table.visibility} = 'public' and ${table.deleted_at} is null`;
    const isPrivate = sql`${table.visibility} = 'private' and ${table.deleted_at} is null`;
    return [
      index('items_listed_id').on(table.id).where(isListed),
      index('items_listed_created_at').on(table.created_at, table.id).where(isListed),
      index('items_listed_updated_at').on(table.updated_at, table.id).where(isListed),
      index('items_listed_title').on(table.title, table.id).where(isListed),
      // Without these, a list would skip an owner's public items one by one to find the private.
      index('items_private_id').on(table.owner_id, table.id).where(isPrivate),
      index('items_private_created_at')
        .on(table.owner_id, table.created_at, table.id)
        .where(isPrivate),
      index('items_private_updated_at')
        .on(table.owner_id, table.updated_at, table.id)
        .where(isPrivate),
      index('items_private_title').on(table.owner_id, table.title, table.id).where(isPrivate),
      index('items_binned').on(table.owner_id, table.id).where(isNotNull(table.deleted_at)),
      index('items_owner_id').on(table.owner_id, table.id),
      // Filters walk listed items and the caller's own apart, so that no hidden item is in the way.
      index('items_listed_owner').on(table.owner_id, table.id).where(isListed),
      index('items_listed_url')
        .on(table.url, table.id)
        .where(sql`${isListed} and ${table.url} is not null`),
      index('items_private_url')
        .on(table.owner_id, table.url, table.id)
        .where(sql`${isPrivate} and ${table.url} is not null`),
      index('items_deleted_at').on(table.deleted_at).where(isNotNull(table.deleted_at)),
      check('items_title', sql`length(${table.title}) between 1 and 200`),
      check('items_description', sql`length(${table.description}) <= 10000`),
      check('items_visibility', sql`${table.visibility} in ('public', 'private')`),
      check('items_tags', sql`json_type(${table.tags}) = 'array'`),
      check(
        'items_data',
        sql`json_type(${table.data}) = 'object' and length(cast(${table.data} as blob)) <= 65536`,
      ),
    ];
  },
);

/** The tags of items, kept by triggers. */
export const itemTags = sqliteTable(
  'item_tags',
  {
    /** The only account that sees the item in lists; 0 for everybody, -1 for nobody: in the bin. */
    viewer_id: integer().notNull(),
    tag: text().notNull(),
    item_id: integer()
      .notNull()
      .references(() => items.id, { onDelete: 'cascade' }),
  },
  (table) => [
    primaryKey({
      name: 'item_tags_viewer_id_tag_item_id',
      columns: [table.viewer_id, table.tag, table.item_id],
    }),
    index('item_tags_item_id').on(table.item_id),
  ],
);

/** A thing an app keeps. How often it was viewed is in item_views, which changes all the time. */
export type ItemRow = typeof items.$inferSelect;
export type NewItemRow = typeof items.$inferInsert;
export type Visibility = ItemRow['visibility'];
