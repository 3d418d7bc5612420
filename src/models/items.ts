import { desc, isNotNull, sql } from 'drizzle-orm';
import { check, index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

/** The largest size of an item's data, as JSON in UTF-8. */
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
    /** JSON list of texts; triggers copy it to item_tags. */
    tags: text().notNull().default('[]'),
    /** JSON object, without whitespace. */
    data: text().notNull().default('{}'),
    visibility: text({ enum: ['public', 'private'] })
      .notNull()
      .default('public'),
    /** Grows by one with each change, not with views. ETags are built from it. */
    version: integer().notNull().default(1),
    created_at: text().notNull(),
    updated_at: text().notNull(),
    /** When it was moved to the bin. */
    deleted_at: text(),
  },
  (table) => {
    // Literals: SQLite uses a partial index only if the query has the same text, without parameters.
    const isListed = sql`${table.visibility} = 'public' and ${table.deleted_at} is null`;
    const isPrivate = sql`${table.visibility} = 'private' and ${table.deleted_at} is null`;
    return [
      index('items_listed_id').on(table.id).where(isListed),
      index('items_listed_created_at').on(table.created_at, table.id).where(isListed),
      index('items_listed_updated_at').on(table.updated_at, table.id).where(isListed),
      index('items_listed_title').on(table.title, table.id).where(isListed),
      // Without these, a list would skip an owner's public items one by one to find the private ones.
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
      // Filters walk listed items and the caller's own separately, so no hidden item is visited.
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

/** The tags of items, maintained by triggers. */
export const itemTags = sqliteTable(
  'item_tags',
  {
    /** The only account that sees the item in lists; 0 for everyone, -1 for no one (in the bin). */
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

export const itemRevisions = sqliteTable(
  'item_revisions',
  {
    item_id: integer()
      .notNull()
      .references(() => items.id, { onDelete: 'cascade' }),
    /** The version that this change created; version 1 is the creation and has no row. */
    version: integer().notNull(),
    action: text({ enum: ['update', 'delete', 'restore', 'revert'] }).notNull(),
    /** The account that changed it. No foreign key: the history outlives the account. */
    actor_id: integer().notNull(),
    at: text().notNull(),
    /** JSON object: the previous values of the changed fields. */
    before: text().notNull(),
  },
  (table) => [
    primaryKey({ name: 'item_revisions_item_id_version', columns: [table.item_id, table.version] }),
  ],
);

export const itemEvents = sqliteTable(
  'item_events',
  {
    /** Ascends in commit order; clients send it as Last-Event-ID. */
    id: integer().primaryKey({ autoIncrement: true }),
    type: text({ enum: ['created', 'updated', 'deleted'] }).notNull(),
    item_id: integer().notNull(),
    owner_id: integer().notNull(),
    /** The audience: everyone, only the owner, or everyone except the owner. */
    audience: text({ enum: ['all', 'owner', 'others'] }).notNull(),
    version: integer().notNull(),
    at: text().notNull(),
  },
  (table) => [
    index('item_events_at').on(table.at),
    // A listener's position must not reveal events that it may not see.
    index('item_events_others').on(table.id).where(sql`${table.audience} <> 'owner'`),
    index('item_events_own').on(table.owner_id, table.id).where(sql`${table.audience} = 'owner'`),
  ],
);

export const itemViews = sqliteTable(
  'item_views',
  {
    item_id: integer()
      .primaryKey()
      .references(() => items.id, { onDelete: 'cascade' }),
    /** All-time committed views; the most recent ones may be pending in memory. */
    views: integer().notNull().default(0),
    /** Views of the last 24 hours, 7 days and 30 days, as of the last sweep. */
    day: integer().notNull().default(0),
    week: integer().notNull().default(0),
    month: integer().notNull().default(0),
    /** True if the item is public and not in the bin: popular lists show only these. */
    is_listed: integer({ mode: 'boolean' }).notNull().default(true),
  },
  (table) => {
    const isListed = sql`${table.is_listed} = 1`;
    return [
      index('item_views_all').on(desc(table.views), table.item_id).where(isListed),
      index('item_views_day')
        .on(desc(table.day), table.item_id)
        .where(sql`${isListed} and ${table.day} > 0`),
      index('item_views_week')
        .on(desc(table.week), table.item_id)
        .where(sql`${isListed} and ${table.week} > 0`),
      index('item_views_month')
        .on(desc(table.month), table.item_id)
        .where(sql`${isListed} and ${table.month} > 0`),
    ];
  },
);

/** Views of an item per hour, for the last 24 hours. `hour` is hours since 1970. */
export const itemHours = sqliteTable(
  'item_hours',
  {
    hour: integer().notNull(),
    item_id: integer()
      .notNull()
      .references(() => items.id, { onDelete: 'cascade' }),
    views: integer().notNull(),
  },
  (table) => [
    primaryKey({ name: 'item_hours_hour_item_id', columns: [table.hour, table.item_id] }),
    index('item_hours_item_id').on(table.item_id, table.hour),
  ],
);

/** Views of an item per UTC day, summed from its hours. `day` is days since 1970. */
export const itemDays = sqliteTable(
  'item_days',
  {
    day: integer().notNull(),
    item_id: integer()
      .notNull()
      .references(() => items.id, { onDelete: 'cascade' }),
    views: integer().notNull(),
  },
  (table) => [
    primaryKey({ name: 'item_days_day_item_id', columns: [table.day, table.item_id] }),
    index('item_days_item_id').on(table.item_id, table.day),
  ],
);

/** Progress of a window's sweep: buckets and items up to these have left the window. */
export const viewSweeps = sqliteTable('view_sweeps', {
  window: text({ enum: ['day', 'week', 'month'] }).primaryKey(),
  bucket: integer().notNull(),
  item_id: integer().notNull(),
});

/** Progress of rebuilding the search index: items below this id are left. No row if done. */
export const searchReindex = sqliteTable('search_reindex', { below_id: integer().primaryKey() });

/** An item as stored. Its view counts change often, so they are in item_views. */
export type ItemRow = typeof items.$inferSelect;
export type NewItemRow = typeof items.$inferInsert;
export type Visibility = ItemRow['visibility'];
/** A change of an item after its creation. */
export type ItemRevision = typeof itemRevisions.$inferSelect;
/** A change as sent to listeners; stored for a while so that they can resume. */
export type ItemEvent = typeof itemEvents.$inferSelect;
export type ItemViewsRow = typeof itemViews.$inferSelect;
export type ViewSweep = typeof viewSweeps.$inferSelect;
