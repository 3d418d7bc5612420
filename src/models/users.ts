import { sql } from 'drizzle-orm';
import { check, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

export const users = sqliteTable(
  'users',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    email: text().notNull(),
    email_key: text().notNull(),
    username: text().notNull(),
    username_key: text().notNull(),
    /** None for an account that signs in by a passkey or a provider alone. */
    password_hash: text(),
    /** Signs the device tokens of the account; another key ends them all. None until the first. */
    device_key: text(),
    /** When the address was proved to be the account's; only then may it be linked to. */
    email_verified_at: text(),
    is_active: integer({ mode: 'boolean' }).notNull(),
    role: text({ enum: ['user', 'admin'] }).notNull(),
    created_at: text().notNull(),
    updated_at: text().notNull(),
  },
  (table) => [
    uniqueIndex('users_email_key_unique').on(table.email_key),
    uniqueIndex('users_username_key_unique').on(table.username_key),
    index('users_created_at').on(table.created_at, table.id),
    index('users_role').on(table.role, table.id),
    check('users_role', sql`${table.role} in ('user', 'admin')`),
    check('users_is_active', sql`${table.is_active} in (0, 1)`),
    check('users_email', sql`length(${table.email}) between 3 and 254`),
    check('users_username', sql`length(${table.username}) between 3 and 50`),
  ],
);

/** An account as stored. `email_key` and `username_key` are what uniqueness is judged by. */
export type User = typeof users.$inferSelect;
export type NewUser = typeof users.$inferInsert;
export type Role = User['role'];
