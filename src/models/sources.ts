import { isNotNull, sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core';

export const sources = sqliteTable(
  'sources',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    /** Never changes: callers know it by this, and its secrets are sealed for it. */
    name: text().notNull(),
    is_enabled: integer({ mode: 'boolean' }).notNull(),
    /** Who may call it: anyone, who is signed in, or of tokens those with external:read. */
    access: text({ enum: ['public', 'user', 'scope'] }).notNull(),
    /** When it is asked to keep its answers warm, as a cron expression in UTC. */
    refresh: text(),
    /** JSON object: how the request is made and what becomes of the answer. Secrets are sealed. */
    definition: text().notNull(),
    /** Grows by one with each change: what an ETag and the keys of kept answers are made from. */
    version: integer().notNull().default(1),
    created_at: text().notNull(),
    updated_at: text().notNull(),
  },
  (table) => [
    uniqueIndex('sources_name_unique').on(table.name),
    index('sources_refresh').on(table.id).where(isNotNull(table.refresh)),
    check('sources_name', sql`length(${table.name}) between 1 and 64 and ${table.name} <> 'fetch'`),
    check('sources_access', sql`${table.access} in ('public', 'user', 'scope')`),
    check('sources_is_enabled', sql`${table.is_enabled} in (0, 1)`),
    check('sources_definition', sql`json_type(${table.definition}) = 'object'`),
  ],
);

/**
 * Calls of a source in one hour, kept for 30 days. `hour` is hours since 1970, UTC, of the end of a
 * call. A call is one that was let in with valid parameters; `cache_*` say where the answers of
 * those that succeeded came from, as far as the source keeps any. `latency` is of the calls that
 * waited for the source, failed ones too: a JSON object from the number of a bucket to the count
 * in it. Bucket 0 holds those of up to 1 ms, bucket i those over 2^((i-1)/4) and up to 2^(i/4) ms.
 * `errors` is a JSON object from the code of a failure to its count.
 */
export const sourceCalls = sqliteTable(
  'source_calls',
  {
    source_id: integer()
      .notNull()
      .references(() => sources.id, { onDelete: 'cascade' }),
    hour: integer().notNull(),
    count: integer().notNull(),
    cache_hit: integer().notNull(),
    cache_miss: integer().notNull(),
    cache_stale: integer().notNull(),
    cache_revalidated: integer().notNull(),
    latency_max_ms: integer().notNull(),
    latency: text().notNull(),
    errors: text().notNull(),
  },
  (table) => [
    primaryKey({ name: 'source_calls_source_id_hour', columns: [table.source_id, table.hour] }),
    index('source_calls_hour').on(table.hour),
  ],
);

/** An outside API that is called by name. */
export type SourceRow = typeof sources.$inferSelect;
export type SourceCalls = typeof sourceCalls.$inferSelect;
