import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const signInFailures = sqliteTable(
  'sign_in_failures',
  {
    /** The subject of the count, such as `account:12` or `network:203.0.113.7`. */
    bucket: text().primaryKey(),
    failures: integer().notNull(),
    /** The time of the last failure: waits are measured from it. */
    failed_at: text().notNull(),
    /** When the count is discarded. */
    expires_at: text().notNull(),
  },
  (table) => [index('sign_in_failures_expires_at').on(table.expires_at)],
);

/** A count of recent failed sign-ins. */
export type SignInFailures = typeof signInFailures.$inferSelect;
