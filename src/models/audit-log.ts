import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const auditLog = sqliteTable(
  'audit_log',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    at: text().notNull(),
    /** The actor; null for anonymous or the system. No foreign key: it outlives the account. */
    actor_id: integer(),
    action: text().notNull(),
    /** The account that the action concerns. */
    user_id: integer(),
    address: text(),
    request_id: text(),
    /** JSON with further details; never a secret. */
    details: text().notNull(),
  },
  (table) => [
    index('audit_log_user_id').on(table.user_id, table.id),
    index('audit_log_actor_id').on(table.actor_id, table.id),
    index('audit_log_action').on(table.action, table.id),
    index('audit_log_own')
      .on(table.user_id, table.id)
      .where(sql`${table.actor_id} = ${table.user_id}`),
  ],
);

/** One security-relevant action. Triggers reject changes, and deletion within 30 days. */
export type AuditEntry = typeof auditLog.$inferSelect;
