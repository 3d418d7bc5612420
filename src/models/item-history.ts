import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { items } from './items.ts';
import { users } from './users.ts';

export const itemRevisions = sqliteTable(
  'item_revisions',
  {
    item_id: integer()
      .notNull()
      .references(() => items.id, { onDelete: 'cascade' }),
    /** The version that this change made; version 1 is the creation and has no row. */
    version: integer().notNull(),
    action: text({ enum: ['update', 'delete', 'restore', 'revert'] }).notNull(),
    /** Who did it. No foreign key: the history outlives the account. */
    actor_id: integer().notNull(),
    at: text().notNull(),
    /** JSON object: the fields that changed, as they were before. */
    before: text().notNull(),
  },
  (table) => [
    primaryKey({ name: 'item_revisions_item_id_version', columns: [table.item_id, table.version] }),
  ],
);

export const itemEvents = sqliteTable(
  'item_events',
  {
    /** Ascends in the order of the commits: what Last-Event-ID names. */
    id: integer().primaryKey({ autoIncrement: true }),
    type: text({ enum: ['created', 'updated', 'deleted'] }).notNull(),
    item_id: integer().notNull(),
    owner_id: integer().notNull(),
    /** Who may see it: everyone, the owner alone, or everyone but the owner. */
    audience: text({ enum: ['all', 'owner', 'others'] }).notNull(),
    version: integer().notNull(),
    at: text().notNull(),
  },
  (table) => [
    index('item_events_at').on(table.at),
    // Where a listener is: it must not tell of events that the listener may not hear of.
    index('item_events_others').on(table.id).where(sql`${table.audience} <> 'owner'`),
    index('item_events_own').on(table.owner_id, table.id).where(sql`${table.audience} = 'owner'`),
  ],
);

/** The first answer to a request with an Idempotency-Key, kept in the transaction of its write. */
export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    user_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    key: text().notNull(),
    /** SHA-256 of method, path and body: another request with the same key is refused. */
    request_hash: text().notNull(),
    status: integer().notNull(),
    location: text(),
    /** JSON, sealed where the response shows a secret. */
    body: text().notNull(),
    created_at: text().notNull(),
  },
  (table) => [
    primaryKey({ name: 'idempotency_keys_user_id_key', columns: [table.user_id, table.key] }),
    index('idempotency_keys_created_at').on(table.created_at),
  ],
);

/** A change of an item after its creation. */
export type ItemRevision = typeof itemRevisions.$inferSelect;
/** A change as listeners are told of it; kept for a while so that they can resume. */
export type ItemEvent = typeof itemEvents.$inferSelect;
export type IdempotencyKey = typeof idempotencyKeys.$inferSelect;
