import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const signInFailures = sqliteTable(
  'sign_in_failures',
  {
    /** What the failures are counted for: `account:12`, `network:203.0.113.7`. */
    bucket: text().primaryKey(),
    failures: integer().notNull(),
    /** When the last of them happened: what a wait is measured from. */
    failed_at: text().notNull(),
    /** When all of them are forgotten. */
    expires_at: text().notNull(),
  },
  (table) => [index('sign_in_failures_expires_at').on(table.expires_at)],
);

/** The failed attempts to sign in that still count. */
export type SignInFailures = typeof signInFailures.$inferSelect;
