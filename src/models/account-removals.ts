import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

/**
 * Accounts that were deleted and whose rows are still being erased. Nobody sees them or their
 * items: what reads accounts or items leaves out those that are in here.
 */
export const accountRemovals = sqliteTable('account_removals', {
  user_id: integer()
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  requested_at: text().notNull(),
});
