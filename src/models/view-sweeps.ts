import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Progress of a window's sweep: buckets and items up to these have left the window. */
export const viewSweeps = sqliteTable('view_sweeps', {
  window: text({ enum: ['day', 'week', 'month'] }).primaryKey(),
  bucket: integer().notNull(),
  item_id: integer().notNull(),
});
