import { type Column, notInArray, type SQL, sql } from 'drizzle-orm';
import { check, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

export const users = sqliteTable(
  'users',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    email: text().notNull(),
    email_key: text().notNull(),
    username: text().notNull(),
    username_key: text().notNull(),
    /** Null for an account that signs in only by a passkey or a provider. */
    password_hash: text(),
    /** Signs the account's device tokens; a new key revokes them all. Null until the first token. */
    device_key: text(),
    /** When the owner confirmed the address; providers link to confirmed addresses only. */
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

/**
 * Deleted accounts whose rows are still being erased. Queries for accounts and items exclude them:
 * no one may see either.
 */
export const accountRemovals = sqliteTable('account_removals', {
  user_id: integer()
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  requested_at: text().notNull(),
});

/**
 * Counts of what an account stores. Triggers on users, items, item_revisions and idempotency_keys
 * update them; `hutch usage verify` compares them with the stored rows.
 */
export const accountUsage = sqliteTable('account_usage', {
  user_id: integer()
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  items: integer().notNull().default(0),
  /** Bytes in UTF-8: title, description, url, tags and data of items, and the texts of revisions. */
  bytes: integer().notNull().default(0),
  idempotency_keys: integer().notNull().default(0),
  /** Bytes of the stored responses. */
  idempotency_bytes: integer().notNull().default(0),
  /** Set by an admin in place of the setting. */
  items_limit: integer(),
  bytes_limit: integer(),
});

/** An account as stored. `email_key` and `username_key` are unique. */
export type User = typeof users.$inferSelect;
export type NewUser = typeof users.$inferInsert;
export type Role = User['role'];
export type AccountUsage = typeof accountUsage.$inferSelect;

/**
 * SQL that is true unless the account in `column` was deleted. The row of a deleted account and its
 * items remain, invisible to everyone, until they are erased.
 */
export function isNotRemoved(column: Column): SQL {
  return notInArray(column, sql`(select ${accountRemovals.user_id} from ${accountRemovals})`);
}
