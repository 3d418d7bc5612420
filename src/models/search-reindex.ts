import { integer, sqliteTable } from 'drizzle-orm/sqlite-core';

/** The place of a search index that is being made anew: items below it are left. No row: none. */
export const searchReindex = sqliteTable('search_reindex', { below_id: integer().primaryKey() });
