import { and, asc, eq, lt, lte, sql } from 'drizzle-orm';
import type { Db, Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { itemDays, itemHours, itemViews, type ViewSweep, viewSweeps } from '../../models/items.ts';
import { dayOf, hourOf, MINUTE_MS } from '../../utils/time/units.ts';
import type { Job } from '../jobs.ts';

/** The day window: the current hour and the 23 before it. */
export const DAY_HOURS = 24;
/** The UTC days of the other windows, the current one included. Views per day are stored for a year. */
export const WINDOW_DAYS = { week: 7, month: 30, year: 365 };

const EVERY_MS = MINUTE_MS;
/** Buckets in one transaction: bounds how long it holds the event loop. */
const BATCH = 250;

/** The views of an item in one hour, or in one day. */
type HourBucket = typeof itemHours.$inferSelect;
type DayBucket = typeof itemDays.$inferSelect;

/** The last bucket that has left a window. */
type Position = Pick<ViewSweep, 'bucket' | 'item_id'>;

export interface ItemWindowsDeps {
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
 * A recurring job: subtracts expired views from the day, week and month of their items, and folds
 * hours into days. A counter always equals the sum of the buckets in its window, even after an
 * interruption: those of item_hours, and those of item_days after the window's position.
 */
export function createItemWindows({ db, now, batch = BATCH }: ItemWindowsDeps): Job {
  /** Handles one batch, if any bucket is due. */
  const sweep = async <T>({ due, expire }: Sweep<T>): Promise<boolean> => {
    const at = now();
    if ((await due(db.read, at, 1)).length === 0) return false;
    await db.write(async (tx) => expire(tx, await due(tx, at, batch)));
    return true;
  };
  return {
    name: 'view windows',
    everyMs: EVERY_MS,
    run: async () =>
      (await sweep(foldHours)) ||
      (await sweep(leaveWeek)) ||
      (await sweep(leaveMonth)) ||
      (await sweep(deleteDays)),
  };
}

const foldHours: Sweep<HourBucket> = {
  due: (session, at, limit) => oldHours(session, { until: hourOf(at) - DAY_HOURS, limit }),
  expire: async (tx, buckets) => {
    const week = await positionOf(tx, 'week');
    const month = await positionOf(tx, 'month');
    for (const bucket of buckets) {
      const { item_id, views, hour } = bucket;
      const day = Math.floor(hour / DAY_HOURS);
      await removeHour(tx, bucket);
      await addToDay(tx, { day, item_id, views });
      // After a clock change a sweep may have passed this day already and will not return to it.
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
  expire: async (tx, buckets) => {
    for (const { item_id, views } of buckets) {
      await subtract(tx, { item_id, day: 0, week: 0, month: 0, [window]: views });
    }
    const last = buckets.at(-1);
    if (last) await moveTo(tx, { window, bucket: last.day, item_id: last.item_id });
  },
});

const leaveWeek = leaving('week');
const leaveMonth = leaving('month');

/** Deletes days that no chart shows, once they have left both windows. */
const deleteDays: Sweep<DayBucket> = {
  due: async (session, at, limit) => {
    const week = await positionOf(session, 'week');
    const month = await positionOf(session, 'month');
    const until = Math.min(dayOf(at) - WINDOW_DAYS.year + 1, week.bucket, month.bucket);
    return oldDays(session, { until, limit });
  },
  expire: async (tx, buckets) => {
    for (const bucket of buckets) await removeDay(tx, bucket);
  },
};

function isAfter(position: Position, day: number, item_id: number): boolean {
  return day > position.bucket || (day === position.bucket && item_id > position.item_id);
}

/** The progress of a window's sweep; before all buckets if it has never run. */
async function positionOf(session: Session, window: ViewSweep['window']): Promise<Position> {
  return (await positions(session, { window }))[0] ?? { bucket: -1, item_id: 0 };
}

const positions = prepare<Pick<ViewSweep, 'window'>, Position[]>((orm) =>
  orm
    .select({ bucket: viewSweeps.bucket, item_id: viewSweeps.item_id })
    .from(viewSweeps)
    .where(eq(viewSweeps.window, sql.placeholder('window'))),
);

const moveTo = prepare<ViewSweep, unknown>((orm) =>
  orm
    .insert(viewSweeps)
    .values({
      window: sql.placeholder('window'),
      bucket: sql.placeholder('bucket'),
      item_id: sql.placeholder('item_id'),
    })
    .onConflictDoUpdate({
      target: viewSweeps.window,
      set: { bucket: sql`excluded.bucket`, item_id: sql`excluded.item_id` },
    }),
);

/** Hours up to `until`, oldest first. */
const oldHours = prepare<{ until: number; limit: number }, HourBucket[]>((orm) =>
  orm
    .select()
    .from(itemHours)
    .where(lte(itemHours.hour, sql.placeholder('until')))
    .orderBy(asc(itemHours.hour), asc(itemHours.item_id))
    .limit(sql.placeholder('limit')),
);

/** Days before `until`, oldest first. */
const oldDays = prepare<{ until: number; limit: number }, DayBucket[]>((orm) =>
  orm
    .select()
    .from(itemDays)
    .where(lt(itemDays.day, sql.placeholder('until')))
    .orderBy(asc(itemDays.day), asc(itemDays.item_id))
    .limit(sql.placeholder('limit')),
);

const dayAndItem = sql`(${itemDays.day}, ${itemDays.item_id})`;
const position = sql`(${sql.placeholder('bucket')}, ${sql.placeholder('item_id')})`;

/** Days up to `until` after a position, in order. */
const daysAfter = prepare<Position & { until: number; limit: number }, DayBucket[]>((orm) =>
  orm
    .select()
    .from(itemDays)
    .where(and(sql`${dayAndItem} > ${position}`, lte(itemDays.day, sql.placeholder('until'))))
    .orderBy(asc(itemDays.day), asc(itemDays.item_id))
    .limit(sql.placeholder('limit')),
);

const addToDay = prepare<DayBucket, unknown>((orm) =>
  orm
    .insert(itemDays)
    .values({
      day: sql.placeholder('day'),
      item_id: sql.placeholder('item_id'),
      views: sql.placeholder('views'),
    })
    .onConflictDoUpdate({
      target: [itemDays.day, itemDays.item_id],
      set: { views: sql`${itemDays.views} + excluded.views` },
    }),
);

const removeHour = prepare<HourBucket, unknown>((orm) =>
  orm
    .delete(itemHours)
    .where(
      and(
        eq(itemHours.hour, sql.placeholder('hour')),
        eq(itemHours.item_id, sql.placeholder('item_id')),
      ),
    ),
);

const removeDay = prepare<DayBucket, unknown>((orm) =>
  orm
    .delete(itemDays)
    .where(
      and(
        eq(itemDays.day, sql.placeholder('day')),
        eq(itemDays.item_id, sql.placeholder('item_id')),
      ),
    ),
);

/** Subtracts views from the windows of an item. */
const subtract = prepare<{ item_id: number; day: number; week: number; month: number }, unknown>(
  (orm) =>
    orm
      .update(itemViews)
      .set({
        day: sql`${itemViews.day} - ${sql.placeholder('day')}`,
        week: sql`${itemViews.week} - ${sql.placeholder('week')}`,
        month: sql`${itemViews.month} - ${sql.placeholder('month')}`,
      })
      .where(eq(itemViews.item_id, sql.placeholder('item_id'))),
);

/** The hours of an item since `from`. */
export const hoursOf = prepare<{ item_id: number; from: number }, HourBucket[]>((orm) =>
  orm
    .select()
    .from(itemHours)
    .where(
      sql`${itemHours.item_id} = ${sql.placeholder('item_id')} and ${itemHours.hour} >= ${sql.placeholder('from')}`,
    ),
);

/** The days of an item since `from`. */
export const daysOf = prepare<{ item_id: number; from: number }, DayBucket[]>((orm) =>
  orm
    .select()
    .from(itemDays)
    .where(
      sql`${itemDays.item_id} = ${sql.placeholder('item_id')} and ${itemDays.day} >= ${sql.placeholder('from')}`,
    ),
);
