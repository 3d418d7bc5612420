import { blob, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/**
 * Random keys that protect what clients hold, such as cursors. They protect nothing in the
 * database itself, so they live in it: they survive a restart, a copy and a backup.
 */
export const serverKeys = sqliteTable('server_keys', {
  name: text({ enum: ['cursor'] }).primaryKey(),
  key: blob({ mode: 'buffer' }).notNull(),
});
