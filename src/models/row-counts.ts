import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Ids that share a segment: the segment of an id is the id shifted right by so many bits. */
export const SEGMENT_BITS = 12;

/**
 * How many rows have their ids in each segment, kept by triggers: finds the row that follows
 * `skip` others without walking past them.
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
