import { sql } from 'drizzle-orm';
import { check, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

export const actionTokens = sqliteTable(
  'action_tokens',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    user_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    purpose: text({ enum: ['verify_email', 'reset_password', 'change_email'] }).notNull(),
    token_hash: text().notNull(),
    /** The address that the token is sent to; using it proves that address. */
    email: text().notNull(),
    created_at: text().notNull(),
    expires_at: text().notNull(),
  },
  (table) => [
    uniqueIndex('action_tokens_token_hash_unique').on(table.token_hash),
    uniqueIndex('action_tokens_one_live').on(table.user_id, table.purpose),
    check(
      'action_tokens_purpose',
      sql`${table.purpose} in ('verify_email', 'reset_password', 'change_email')`,
    ),
  ],
);

/** The token of a mailed link. Using it deletes it; an account has one per purpose at most. */
export type ActionToken = typeof actionTokens.$inferSelect;
