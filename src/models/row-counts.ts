import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** The segment of an id is the id shifted right by this many bits. */
export const SEGMENT_BITS = 12;

/**
 * The number of rows per segment of ids, maintained by triggers: locates the row after `skip`
 * others without walking past them.
 */
export const rowCounts = sqliteTable(
  'row_counts',
  {
    of: text({ enum: ['listed_items', 'users'] }).notNull(),
    segment: integer().notNull(),
    rows: integer().notNull(),
  },
  (table) => [primaryKey({ name: 'row_counts_of_segment', columns: [table.of, table.segment] })],
);
