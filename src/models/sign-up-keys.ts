import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

/**
 * The first response to a sign-up with an Idempotency-Key, stored in the transaction of its write.
 * There is no account yet that the key could belong to.
 */
export const signUpKeys = sqliteTable(
  'sign_up_keys',
  {
    /** SHA-256 of the key, the path and the body without its password. */
    request_hash: text().primaryKey(),
    /** The account that was created and signed in; null if its address must be confirmed first. */
    user_id: integer().references(() => users.id, { onDelete: 'cascade' }),
    /** Sealed JSON of the session that was opened, or null. */
    session: text(),
    created_at: text().notNull(),
  },
  (table) => [
    index('sign_up_keys_user_id').on(table.user_id),
    index('sign_up_keys_created_at').on(table.created_at),
  ],
);

export type SignUpKey = typeof signUpKeys.$inferSelect;
