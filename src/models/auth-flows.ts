import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

export const authFlows = sqliteTable(
  'auth_flows',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    kind: text({ enum: ['passkey_register', 'passkey_login', 'oauth'] }).notNull(),
    key_hash: text().notNull(),
    user_id: integer().references(() => users.id, { onDelete: 'cascade' }),
    /** JSON for the second step, such as a challenge, a verifier or a nonce. */
    data: text().notNull(),
    expires_at: text().notNull(),
  },
  (table) => [
    uniqueIndex('auth_flows_key_hash_unique').on(table.key_hash),
    index('auth_flows_expires_at').on(table.expires_at),
    index('auth_flows_user_id').on(table.user_id),
  ],
);

/** A flow of two steps whose first step is done; the second deletes it. */
export type AuthFlow = typeof authFlows.$inferSelect;
