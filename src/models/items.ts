import { desc, sql } from 'drizzle-orm';
import { check, index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

export const items = sqliteTable(
  'items',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    title: text().notNull(),
    description: text().notNull(),
    url: text(),
    views: integer().notNull(),
    owner_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    created_at: text().notNull(),
    updated_at: text().notNull(),
  },
  (table) => [
    index('items_popular').on(desc(table.views), table.id),
    index('items_owner_id').on(table.owner_id),
    check('items_title', sql`length(${table.title}) between 1 and 200`),
    check('items_description', sql`length(${table.description}) <= 10000`),
    check('items_views', sql`${table.views} >= 0`),
  ],
);

/** A thing an app keeps. `views` is what is committed; views of the last moments are pending. */
export type Item = typeof items.$inferSelect;
export type NewItem = typeof items.$inferInsert;
