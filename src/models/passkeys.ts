import { blob, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

export const passkeys = sqliteTable(
  'passkeys',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    user_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    credential_id: text().notNull(),
    public_key: blob({ mode: 'buffer' }).notNull(),
    counter: integer().notNull(),
    /** JSON list of WebAuthn transports. */
    transports: text().notNull(),
    name: text().notNull(),
    created_at: text().notNull(),
    last_used_at: text(),
  },
  (table) => [
    uniqueIndex('passkeys_credential_id_unique').on(table.credential_id),
    index('passkeys_user_id').on(table.user_id),
  ],
);

/** A WebAuthn credential of an account. */
export type Passkey = typeof passkeys.$inferSelect;
