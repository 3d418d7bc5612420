import { and, eq, sql } from 'drizzle-orm';
import { jobSchedules } from '../../models/jobs.ts';
import type { Db } from '../db/db.ts';
import { prepare } from '../db/query.ts';
import type { Tx } from '../db/writer.ts';
import { nextAfter } from './cron.ts';
import type { JobQueue } from './queue.ts';

/** The job that a schedule queued: a second one is not queued while it waits. */
const KEY = 'schedule';

export interface SchedulesDeps {
  db: Pick<Db, 'read' | 'write'>;
  queue: Pick<JobQueue, 'definitions' | 'enqueue'>;
  now(): Date;
}

interface Change {
  name: string;
  /** The stored time; undefined if there is none. */
  seen: string | undefined;
  next: string;
  isDue: boolean;
}

/**
 * The jobs with a cron expression. The next time of each is stored, so that a time that passes while
 * the server is off is made up for, once however many were missed.
 */
export function createSchedules({ db, queue, now }: SchedulesDeps) {
  return {
    /** Queues the jobs that are due and returns the next time in milliseconds since 1970. */
    tick: async (): Promise<number> => {
      const time = now();
      const stored = new Map((await allSchedules(db.read, {})).map((it) => [it.name, it.next_at]));
      const changes: Change[] = [];
      let firstMs = Number.POSITIVE_INFINITY;
      for (const { name, cron } of queue.definitions.values()) {
        if (cron === undefined) continue;
        const next = nextAfter(cron, time);
        firstMs = Math.min(firstMs, next.getTime());
        const seen = stored.get(name);
        stored.delete(name);
        const isDue = seen !== undefined && seen <= time.toISOString();
        // A time after the next means that the clock was set back or the expression changed.
        if (seen !== next.toISOString())
          changes.push({ name, seen, next: next.toISOString(), isDue });
      }
      const gone = [...stored.keys()];
      if (changes.length + gone.length > 0) await db.write((tx) => apply(tx, queue, changes, gone));
      return firstMs;
    },
  };
}

async function apply(
  tx: Tx,
  queue: SchedulesDeps['queue'],
  changes: readonly Change[],
  gone: readonly string[],
): Promise<void> {
  for (const name of gone) await deleteSchedule(tx, { name });
  for (const { name, seen, next, isDue } of changes) {
    // Another process may have done the same meanwhile.
    const isMine =
      seen === undefined
        ? (await insertSchedule(tx, { name, next })).length > 0
        : (await moveSchedule(tx, { name, seen, next })).length > 0;
    if (isMine && isDue) await queue.enqueue(tx, name, null, { key: KEY });
  }
}

type Named = { name: string };

const allSchedules = prepare<Record<string, never>, (typeof jobSchedules.$inferSelect)[]>((orm) =>
  orm.select().from(jobSchedules),
);

const insertSchedule = prepare<Named & { next: string }, Named[]>((orm) =>
  orm
    .insert(jobSchedules)
    .values({ name: sql.placeholder('name'), next_at: sql.placeholder('next') })
    .onConflictDoNothing()
    .returning({ name: jobSchedules.name }),
);

const moveSchedule = prepare<Named & { seen: string; next: string }, Named[]>((orm) =>
  orm
    .update(jobSchedules)
    .set({ next_at: sql`${sql.placeholder('next')}` })
    .where(
      and(
        eq(jobSchedules.name, sql.placeholder('name')),
        eq(jobSchedules.next_at, sql.placeholder('seen')),
      ),
    )
    .returning({ name: jobSchedules.name }),
);

const deleteSchedule = prepare<Named, unknown>((orm) =>
  orm.delete(jobSchedules).where(eq(jobSchedules.name, sql.placeholder('name'))),
);
