import { isNotNull, isNull, sql } from 'drizzle-orm';
import { check, index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const webhooks = sqliteTable(
  'webhooks',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    url: text().notNull(),
    description: text().notNull(),
    /** JSON list of event types and wildcards. */
    events: text().notNull(),
    /** JSON list of the sealed secrets, the current one first. */
    secrets: text().notNull(),
    is_active: integer({ mode: 'boolean' }).notNull(),
    /** The reason if the server disabled it; null if an admin did. */
    disabled_reason: text({ enum: ['gone', 'failing', 'backlog'] }),
    /** The first failed attempt since the last success. */
    failing_since: text(),
    /** Grows by one with each change of what an admin sees. ETags are built from it. */
    version: integer().notNull().default(1),
    created_at: text().notNull(),
    updated_at: text().notNull(),
    /** When an admin deleted it: it is hidden, and a job erases its deliveries. */
    deleted_at: text(),
  },
  (table) => [
    index('webhooks_listed').on(table.id).where(isNull(table.deleted_at)),
    index('webhooks_deleted').on(table.deleted_at).where(isNotNull(table.deleted_at)),
    check('webhooks_events', sql`json_type(${table.events}) = 'array'`),
    check('webhooks_secrets', sql`json_type(${table.secrets}) = 'array'`),
    check('webhooks_is_active', sql`${table.is_active} in (0, 1)`),
  ],
);

export const webhookDeliveries = sqliteTable(
  'webhook_deliveries',
  {
    /** Ascends in the order of the commits. */
    id: integer().primaryKey({ autoIncrement: true }),
    webhook_id: integer()
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    /** The same for all webhooks, attempts and replays of one event. Random: a restored backup reuses none. */
    event_id: text().notNull(),
    /** Such as `items.created`. The document is read when the event is sent. */
    event_type: text().notNull(),
    /** The row that changed; null for a test. */
    resource_id: integer(),
    /** The version that the change created, if the resource has versions. */
    resource_version: integer(),
    event_at: text().notNull(),
    /** The delivery that an admin replayed. */
    replay_of: integer(),
    state: text({ enum: ['pending', 'succeeded', 'failed'] }).notNull(),
    attempts: integer().notNull().default(0),
    /** Null once the delivery has succeeded or failed for good. */
    next_attempt_at: text(),
    last_attempt_at: text(),
    /** The status of the last response; null without one. */
    response_status: integer(),
    /** The duration of the last attempt. */
    duration_ms: integer(),
    /** The reason why the last attempt failed; contains no secret and no path. */
    error: text(),
    created_at: text().notNull(),
  },
  (table) => [
    index('webhook_deliveries_due')
      .on(table.webhook_id, table.next_attempt_at, table.id)
      .where(sql`${table.state} = 'pending'`),
    index('webhook_deliveries_webhook').on(table.webhook_id, table.id),
    index('webhook_deliveries_state').on(table.webhook_id, table.state, table.id),
    check('webhook_deliveries_state', sql`${table.state} in ('pending', 'succeeded', 'failed')`),
  ],
);

/** A receiver of events that an admin defined. */
export type WebhookRow = typeof webhooks.$inferSelect;
/** One event for one webhook, with the outcome of its last attempt. */
export type WebhookDelivery = typeof webhookDeliveries.$inferSelect;
