import { integer, sqliteTable } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

/**
 * How much an account stores. Triggers on users, items, item_revisions and idempotency_keys keep
 * it exact, whatever writes there; `hutch usage verify` compares it with what is stored.
 */
export const accountUsage = sqliteTable('account_usage', {
  user_id: integer()
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  items: integer().notNull().default(0),
  /** In UTF-8: title, description, url, tags and data of items, and the texts of revisions. */
  bytes: integer().notNull().default(0),
  idempotency_keys: integer().notNull().default(0),
  /** Of the stored responses. */
  idempotency_bytes: integer().notNull().default(0),
  /** Set by an admin in place of the setting. */
  items_limit: integer(),
  bytes_limit: integer(),
});

export type AccountUsage = typeof accountUsage.$inferSelect;
