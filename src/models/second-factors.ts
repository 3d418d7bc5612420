import { blob, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

export const totps = sqliteTable('totps', {
  user_id: integer()
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  secret: text().notNull(),
  /** Until then it is only being set up and asks for nothing. */
  confirmed_at: text(),
  /** The last time step whose code was taken: a code works once. */
  last_step: integer().notNull(),
  created_at: text().notNull(),
});

export const recoveryCodes = sqliteTable(
  'recovery_codes',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    user_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    code_hash: text().notNull(),
  },
  (table) => [uniqueIndex('recovery_codes_code').on(table.user_id, table.code_hash)],
);

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

export type Totp = typeof totps.$inferSelect;
export type Passkey = typeof passkeys.$inferSelect;
