import { integer, sqliteTable } from 'drizzle-orm/sqlite-core';

/** Progress of rebuilding the search index: items below this id are left. No row if done. */
export const searchReindex = sqliteTable('search_reindex', { below_id: integer().primaryKey() });
