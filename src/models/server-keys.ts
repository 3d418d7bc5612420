import { blob, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/**
 * Random keys that protect values held by clients, such as cursors. They protect nothing in the
 * database itself, so they are stored in it and survive a restart, a copy and a backup.
 */
export const serverKeys = sqliteTable('server_keys', {
  name: text({ enum: ['cursor'] }).primaryKey(),
  key: blob({ mode: 'buffer' }).notNull(),
});
