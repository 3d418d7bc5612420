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
    /** Never changes: callers use it, and secrets are bound to it. */
    name: text().notNull(),
    is_enabled: integer({ mode: 'boolean' }).notNull(),
    /** The permitted callers: anyone, signed-in users, or sessions and tokens with external:read. */
    access: text({ enum: ['public', 'user', 'scope'] }).notNull(),
    /** When cached responses are refreshed, as a cron expression in UTC. */
    refresh: text(),
    /** JSON object: how to build the request and process the response. Secrets are sealed. */
    definition: text().notNull(),
    /** Grows by one with each change. ETags and cache keys are built from it. */
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
 * Calls of a source in one hour, stored for 30 days. `hour` is hours since 1970, UTC, of the end of
 * the call. Only permitted calls with valid parameters count; `cache_*` count the successful ones
 * by cache state, if the source caches. `latency` covers calls that waited for the source, failed
 * ones too: a JSON object from a bucket's number to its count. Bucket 0 holds calls of up to 1 ms,
 * bucket i those over 2^((i-1)/4) and up to 2^(i/4) ms. `errors` is a JSON object from the code of
 * a failure to its count.
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

/** A third-party API that is called by name. */
export type SourceRow = typeof sources.$inferSelect;
export type SourceCalls = typeof sourceCalls.$inferSelect;
