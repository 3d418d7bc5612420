import { sql } from 'drizzle-orm';
import { check, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** Work that is done after the commit that asked for it, at least once. A finished job is deleted. */
export const jobs = sqliteTable(
  'jobs',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    name: text().notNull(),
    /** Only one job of a name with this key waits at a time, and only one runs. */
    key: text(),
    state: text({ enum: ['waiting', 'running', 'dead'] }).notNull(),
    /** JSON. A text that is not JSON is sealed JSON. */
    payload: text().notNull(),
    /** The attempts that have started. */
    attempts: integer().notNull(),
    /** When a waiting job is due, the lease of a running one ends, or a dead letter was given up. */
    due_at: text().notNull(),
    /** The process that runs the job. */
    holder: text(),
    last_error: text(),
    created_at: text().notNull(),
  },
  (table) => [
    index('jobs_due').on(table.state, table.name, table.due_at),
    uniqueIndex('jobs_key')
      .on(table.name, table.key)
      .where(sql`${table.state} = 'waiting' and ${table.key} is not null`),
    index('jobs_dead').on(table.id).where(sql`${table.state} = 'dead'`),
    check('jobs_state', sql`${table.state} in ('waiting', 'running', 'dead')`),
    check('jobs_holder', sql`(${table.state} = 'running') = (${table.holder} is not null)`),
  ],
);

/** When jobs with a cron expression run next. */
export const jobSchedules = sqliteTable('job_schedules', {
  name: text().primaryKey(),
  next_at: text().notNull(),
});

export type JobRow = typeof jobs.$inferSelect;
export type JobState = JobRow['state'];
