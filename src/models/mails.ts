import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const mails = sqliteTable(
  'mails',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    recipient: text().notNull(),
    subject: text().notNull(),
    text: text().notNull(),
    html: text().notNull(),
    created_at: text().notNull(),
    attempts: integer().notNull(),
    next_attempt_at: text().notNull(),
    last_error: text(),
  },
  (table) => [index('mails_next_attempt_at').on(table.next_attempt_at)],
);

/** A queued mail; deleted once sent, so that no link stays in the database. */
export type Mail = typeof mails.$inferSelect;
