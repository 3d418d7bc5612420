import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

/** The first response to a request with an Idempotency-Key, stored in the transaction of its write. */
export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    user_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    key: text().notNull(),
    /** SHA-256 of method, path and body: a different request with the same key is rejected. */
    request_hash: text().notNull(),
    status: integer().notNull(),
    location: text(),
    /** JSON; sealed if the response contains a secret. */
    body: text().notNull(),
    created_at: text().notNull(),
  },
  (table) => [
    primaryKey({ name: 'idempotency_keys_user_id_key', columns: [table.user_id, table.key] }),
    index('idempotency_keys_created_at').on(table.created_at),
  ],
);

export type IdempotencyKey = typeof idempotencyKeys.$inferSelect;
