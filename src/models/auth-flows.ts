import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

export const authFlows = sqliteTable(
  'auth_flows',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    kind: text({ enum: ['passkey_register', 'passkey_login', 'oauth', 'second_factor'] }).notNull(),
    key_hash: text().notNull(),
    user_id: integer().references(() => users.id, { onDelete: 'cascade' }),
    /** JSON of what the second step needs: a challenge, a verifier, a nonce. */
    data: text().notNull(),
    expires_at: text().notNull(),
  },
  (table) => [
    uniqueIndex('auth_flows_key_hash_unique').on(table.key_hash),
    index('auth_flows_expires_at').on(table.expires_at),
    index('auth_flows_user_id').on(table.user_id),
  ],
);

export const identities = sqliteTable(
  'identities',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    user_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    provider: text().notNull(),
    subject: text().notNull(),
    email: text(),
    created_at: text().notNull(),
  },
  (table) => [
    uniqueIndex('identities_subject').on(table.provider, table.subject),
    index('identities_user_id').on(table.user_id),
  ],
);

/** A sign-in that has begun and needs its second step; deleted by it. */
export type AuthFlow = typeof authFlows.$inferSelect;
/** An account at an outside provider that signs in here. */
export type OutsideIdentity = typeof identities.$inferSelect;
