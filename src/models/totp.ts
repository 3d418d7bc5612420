import { integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { users } from './users.ts';

export const totps = sqliteTable('totps', {
  user_id: integer()
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  secret: text().notNull(),
  /** Null while it is being set up: sign-in does not require a code yet. */
  confirmed_at: text(),
  /** The time step of the last accepted code: a code works once. */
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

/** The authenticator of an account. */
export type Totp = typeof totps.$inferSelect;
