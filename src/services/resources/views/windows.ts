import type { Db, Session } from '../../../core/db/db.ts';
import type { Tx } from '../../../core/db/writer.ts';
import type { Job } from '../../../core/jobs/recurring.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { dayOf, hourOf, MINUTE_MS } from '../../../utils/time/units.ts';
import {
  type BucketStatements,
  createBucketStatements,
  type DayBucket,
  type HourBucket,
  type Position,
  type Window,
} from './buckets.ts';

/** The day window: the current hour and the 23 before it. */
export const DAY_HOURS = 24;
/** The UTC days of the other windows, the current one included. Views per day are stored for a year. */
export const WINDOW_DAYS = { week: 7, month: 30, year: 365 };

const EVERY_MS = MINUTE_MS;
/** Buckets in one transaction: bounds how long it holds the event loop. */
const BATCH = 250;

export interface WindowsDeps {
  db: Db;
  now(): Date;
  batch?: number;
}

/** One kind of expiry. Each bucket is handled once, in the transaction that records it. */
interface Sweep<T> {
  /** Up to `limit` buckets that have left the window. */
  due(session: Session, now: Date, limit: number): Promise<T[]>;
  expire(tx: Tx, buckets: T[]): Promise<void>;
}

/**
 * A recurring job: subtracts expired views from the day, week and month of their rows, and folds
 * hours into days. A counter always equals the sum of the buckets in its window, even after an
 * interruption: those of the hours, and those of the days after the window's position.
 */
export function createWindows(def: Definition, { db, now, batch = BATCH }: WindowsDeps): Job {
  const statements = createBucketStatements(def);
  const sweeps = {
    foldHours: foldHours(statements),
    leaveWeek: leaving(statements, 'week'),
    leaveMonth: leaving(statements, 'month'),
    deleteDays: deleteDays(statements),
  };
  /** Handles one batch, if any bucket is due. */
  const sweep = async <T>({ due, expire }: Sweep<T>): Promise<boolean> => {
    const at = now();
    if ((await due(db.read, at, 1)).length === 0) return false;
    await db.write(async (tx) => expire(tx, await due(tx, at, batch)));
    return true;
  };
  return {
    name: `${def.one} view windows`,
    everyMs: EVERY_MS,
    run: async () =>
      (await sweep(sweeps.foldHours)) ||
      (await sweep(sweeps.leaveWeek)) ||
      (await sweep(sweeps.leaveMonth)) ||
      (await sweep(sweeps.deleteDays)),
  };
}

const foldHours = ({
  oldHours,
  removeHour,
  addToDay,
  subtract,
  positionOf,
}: BucketStatements): Sweep<HourBucket> => ({
  due: (session, at, limit) => oldHours(session, { until: hourOf(at) - DAY_HOURS, limit }),
  expire: async (tx, buckets) => {
    const week = await positionOf(tx, 'week');
    const month = await positionOf(tx, 'month');
    for (const bucket of buckets) {
      const { row_id, views, hour } = bucket;
      const day = Math.floor(hour / DAY_HOURS);
      await removeHour(tx, bucket);
      await addToDay(tx, { day, row_id, views });
      // After a clock change a sweep may have passed this day already and will not return to it.
      const late = (position: Position) => (isAfter(position, day, row_id) ? 0 : views);
      await subtract(tx, { row_id, day: views, week: late(week), month: late(month) });
    }
  },
});

const leaving = (
  { daysAfter, subtract, positionOf, moveTo }: BucketStatements,
  window: Window,
): Sweep<DayBucket> => ({
  due: async (session, at, limit) => {
    const { bucket, row_id } = await positionOf(session, window);
    const until = dayOf(at) - WINDOW_DAYS[window];
    return daysAfter(session, { bucket, row_id, until, limit });
  },
  expire: async (tx, buckets) => {
    for (const { row_id, views } of buckets) {
      await subtract(tx, { row_id, day: 0, week: 0, month: 0, [window]: views });
    }
    const last = buckets.at(-1);
    if (last) await moveTo(tx, window, { bucket: last.day, row_id: last.row_id });
  },
});

/** Deletes days that no chart shows, once they have left both windows. */
const deleteDays = ({ oldDays, removeDay, positionOf }: BucketStatements): Sweep<DayBucket> => ({
  due: async (session, at, limit) => {
    const week = await positionOf(session, 'week');
    const month = await positionOf(session, 'month');
    const until = Math.min(dayOf(at) - WINDOW_DAYS.year + 1, week.bucket, month.bucket);
    return oldDays(session, { until, limit });
  },
  expire: async (tx, buckets) => {
    for (const bucket of buckets) await removeDay(tx, bucket);
  },
});

function isAfter(position: Position, day: number, row_id: number): boolean {
  return day > position.bucket || (day === position.bucket && row_id > position.row_id);
}
