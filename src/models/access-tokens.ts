import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

export const accessTokens = sqliteTable(
  'access_tokens',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    user_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    token_hash: text().notNull(),
    /** The first characters of the token, so that its owner recognises it. */
    prefix: text().notNull(),
    /** Space-separated, as OAuth 2 writes them. */
    scopes: text().notNull(),
    created_at: text().notNull(),
    expires_at: text().notNull(),
    /** Updated at most every 5 minutes. */
    last_used_at: text(),
  },
  (table) => [
    uniqueIndex('access_tokens_token_hash_unique').on(table.token_hash),
    index('access_tokens_user_id').on(table.user_id),
  ],
);

/** A personal access token: it acts for its owner within its scopes. */
export type AccessToken = typeof accessTokens.$inferSelect;
