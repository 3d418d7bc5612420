import { and, asc, eq, lt, lte, sql } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { itemDays, itemHours, itemViews, type ViewSweep, viewSweeps } from '../../models/index.ts';

/** Views of an item in one hour, or in one day. */
export type HourBucket = typeof itemHours.$inferSelect;
export type DayBucket = typeof itemDays.$inferSelect;

type Window = ViewSweep['window'];
/** The last bucket that has left a window. */
export type Position = Pick<ViewSweep, 'bucket' | 'item_id'>;

/** How far the sweep of a window has come; before all buckets when it never began. */
export async function positionOf(session: Session, window: Window): Promise<Position> {
  return (await positions(session, { window }))[0] ?? { bucket: -1, item_id: 0 };
}

const positions = prepare<{ window: Window }, Position[]>((orm) =>
  orm
    .select({ bucket: viewSweeps.bucket, item_id: viewSweeps.item_id })
    .from(viewSweeps)
    .where(eq(viewSweeps.window, sql.placeholder('window'))),
);

export const moveTo = prepare<ViewSweep, unknown>((orm) =>
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

/** Hours up to `until`, the oldest first. */
export const oldHours = prepare<{ until: number; limit: number }, HourBucket[]>((orm) =>
  orm
    .select()
    .from(itemHours)
    .where(lte(itemHours.hour, sql.placeholder('until')))
    .orderBy(asc(itemHours.hour), asc(itemHours.item_id))
    .limit(sql.placeholder('limit')),
);

/** Days before `until`, the oldest first. */
export const oldDays = prepare<{ until: number; limit: number }, DayBucket[]>((orm) =>
  orm
    .select()
    .from(itemDays)
    .where(lt(itemDays.day, sql.placeholder('until')))
    .orderBy(asc(itemDays.day), asc(itemDays.item_id))
    .limit(sql.placeholder('limit')),
);

const dayAndItem = sql`(${itemDays.day}, ${itemDays.item_id})`;
const position = sql`(${sql.placeholder('bucket')}, ${sql.placeholder('item_id')})`;

/** Days up to `until` that stand behind a position, in the order of positions. */
export const daysAfter = prepare<Position & { until: number; limit: number }, DayBucket[]>((orm) =>
  orm
    .select()
    .from(itemDays)
    .where(and(sql`${dayAndItem} > ${position}`, lte(itemDays.day, sql.placeholder('until'))))
    .orderBy(asc(itemDays.day), asc(itemDays.item_id))
    .limit(sql.placeholder('limit')),
);

export const addToDay = prepare<DayBucket, unknown>((orm) =>
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

export const removeHour = prepare<HourBucket, unknown>((orm) =>
  orm
    .delete(itemHours)
    .where(
      and(
        eq(itemHours.hour, sql.placeholder('hour')),
        eq(itemHours.item_id, sql.placeholder('item_id')),
      ),
    ),
);

export const removeDay = prepare<DayBucket, unknown>((orm) =>
  orm
    .delete(itemDays)
    .where(
      and(
        eq(itemDays.day, sql.placeholder('day')),
        eq(itemDays.item_id, sql.placeholder('item_id')),
      ),
    ),
);

/** Takes views out of the windows of an item. */
export const subtract = prepare<
  { item_id: number; day: number; week: number; month: number },
  unknown
>((orm) =>
  orm
    .update(itemViews)
    .set({
      day: sql`${itemViews.day} - ${sql.placeholder('day')}`,
      week: sql`${itemViews.week} - ${sql.placeholder('week')}`,
      month: sql`${itemViews.month} - ${sql.placeholder('month')}`,
    })
    .where(eq(itemViews.item_id, sql.placeholder('item_id'))),
);

/** Hours of an item from `from` on. */
export const hoursOf = prepare<{ item_id: number; from: number }, HourBucket[]>((orm) =>
  orm
    .select()
    .from(itemHours)
    .where(
      sql`${itemHours.item_id} = ${sql.placeholder('item_id')} and ${itemHours.hour} >= ${sql.placeholder('from')}`,
    ),
);

/** Days of an item from `from` on. */
export const daysOf = prepare<{ item_id: number; from: number }, DayBucket[]>((orm) =>
  orm
    .select()
    .from(itemDays)
    .where(
      sql`${itemDays.item_id} = ${sql.placeholder('item_id')} and ${itemDays.day} >= ${sql.placeholder('from')}`,
    ),
);
