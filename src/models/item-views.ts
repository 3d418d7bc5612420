import { desc, sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { items } from './items.ts';

export const itemViews = sqliteTable(
  'item_views',
  {
    item_id: integer()
      .primaryKey()
      .references(() => items.id, { onDelete: 'cascade' }),
    /** Of all time; committed ones: those of the last moments are pending. */
    views: integer().notNull().default(0),
    /** Of the last 24 hours, 7 days and 30 days, as far as the sweeps have come. */
    day: integer().notNull().default(0),
    week: integer().notNull().default(0),
    month: integer().notNull().default(0),
    /** Whether the item is public and not in the bin: what a list of the popular may show. */
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

/** Views of an item in one hour, the last 24 hours of them. `hour` is hours since 1970. */
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

/** Views of an item in one day, folded from its hours. `day` is days since 1970, UTC. */
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

/** How far a window's sweep has come: buckets up to this one, items up to this one, are out of it. */
export const viewSweeps = sqliteTable('view_sweeps', {
  window: text({ enum: ['day', 'week', 'month'] }).primaryKey(),
  bucket: integer().notNull(),
  item_id: integer().notNull(),
});

export type ItemViewsRow = typeof itemViews.$inferSelect;
export type ViewSweep = typeof viewSweeps.$inferSelect;
