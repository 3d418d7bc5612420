import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

export const sessions = sqliteTable(
  'sessions',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    user_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    token_hash: text().notNull(),
    created_at: text().notNull(),
    /** Written at most hourly; the idle limit is measured from it. */
    last_used_at: text().notNull(),
    user_agent: text(),
    address: text(),
    expires_at: text().notNull(),
    /** The time when this session last proved a second factor: an authenticator code or a passkey. */
    second_factor_at: text(),
  },
  (table) => [
    uniqueIndex('sessions_token_hash_unique').on(table.token_hash),
    index('sessions_user_id').on(table.user_id, table.last_used_at),
    index('sessions_expires_at').on(table.expires_at),
  ],
);

/** A session; only the SHA-256 of its token is stored. */
export type Session = typeof sessions.$inferSelect;
