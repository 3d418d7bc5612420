import type { Db, Session } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { dayOf, hourOf, MINUTE_MS } from '../../utils/time/units.ts';
import type { Job } from '../jobs.ts';
import {
  addToDay,
  type DayBucket,
  daysAfter,
  type HourBucket,
  moveTo,
  oldDays,
  oldHours,
  type Position,
  positionOf,
  removeDay,
  removeHour,
  subtract,
} from './buckets.ts';

/** The day window: the current hour and the 23 before. */
export const DAY_HOURS = 24;
/** UTC days of the others, the current one included. Views are kept by day for a year. */
export const WINDOW_DAYS = { week: 7, month: 30, year: 365 };

const EVERY_MS = MINUTE_MS;
/** Buckets in one transaction: bounds how long it holds the event loop. */
const BATCH = 250;

export interface ItemWindowsDeps {
  db: Db;
  now(): Date;
  batch?: number;
}

/** What moves the end of one window; each bucket once, in the transaction that notes it. */
interface Sweep<T> {
  /** Some of the buckets that have left the window. */
  due(session: Session, now: Date, limit: number): Promise<T[]>;
  take(tx: Tx, buckets: T[]): Promise<void>;
}

/**
 * Takes views out of the day, week and month of their items once they are too old, and folds
 * hours into days. Whatever interrupts it, a counter is always the sum of the buckets that are
 * still in its window: those of item_hours, and of item_days those after the window's position.
 */
export function createItemWindows({ db, now, batch = BATCH }: ItemWindowsDeps): Job {
  /** Takes one batch, if something is due. */
  const sweep = async <T>({ due, take }: Sweep<T>): Promise<boolean> => {
    const at = now();
    if ((await due(db.read, at, 1)).length === 0) return false;
    await db.write(async (tx) => take(tx, await due(tx, at, batch)));
    return true;
  };
  return {
    name: 'view windows',
    everyMs: EVERY_MS,
    run: async () =>
      (await sweep(foldHours)) ||
      (await sweep(leaveWeek)) ||
      (await sweep(leaveMonth)) ||
      (await sweep(forgetDays)),
  };
}

const foldHours: Sweep<HourBucket> = {
  due: (session, at, limit) => oldHours(session, { until: hourOf(at) - DAY_HOURS, limit }),
  take: async (tx, buckets) => {
    const week = await positionOf(tx, 'week');
    const month = await positionOf(tx, 'month');
    for (const bucket of buckets) {
      const { item_id, views, hour } = bucket;
      const day = Math.floor(hour / DAY_HOURS);
      await removeHour(tx, bucket);
      await addToDay(tx, { day, item_id, views });
      // A sweep that has passed the day already (a clock was set) will not come by again.
      const late = (position: Position) => (isAfter(position, day, item_id) ? 0 : views);
      await subtract(tx, { item_id, day: views, week: late(week), month: late(month) });
    }
  },
};

const leaving = (window: 'week' | 'month'): Sweep<DayBucket> => ({
  due: async (session, at, limit) => {
    const { bucket, item_id } = await positionOf(session, window);
    const until = dayOf(at) - WINDOW_DAYS[window];
    return daysAfter(session, { bucket, item_id, until, limit });
  },
  take: async (tx, buckets) => {
    for (const { item_id, views } of buckets) {
      await subtract(tx, { item_id, day: 0, week: 0, month: 0, [window]: views });
    }
    const last = buckets.at(-1);
    if (last) await moveTo(tx, { window, bucket: last.day, item_id: last.item_id });
  },
});

const leaveWeek = leaving('week');
const leaveMonth = leaving('month');

/** What no chart shows any more, once it has left both windows. */
const forgetDays: Sweep<DayBucket> = {
  due: async (session, at, limit) => {
    const week = await positionOf(session, 'week');
    const month = await positionOf(session, 'month');
    const until = Math.min(dayOf(at) - WINDOW_DAYS.year + 1, week.bucket, month.bucket);
    return oldDays(session, { until, limit });
  },
  take: async (tx, buckets) => {
    for (const bucket of buckets) await removeDay(tx, bucket);
  },
};

function isAfter(position: Position, day: number, item_id: number): boolean {
  return day > position.bucket || (day === position.bucket && item_id > position.item_id);
}
