import type { AnyActor } from '../../../core/actor.ts';
import type { Db } from '../../../core/db/db.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../../../utils/time/units.ts';
import type { RowAccess } from '../access.ts';
import { createBucketStatements } from './buckets.ts';
import type { RowViews } from './views.ts';
import { DAY_HOURS, WINDOW_DAYS } from './windows.ts';

export type StatsWindow = 'day' | keyof typeof WINDOW_DAYS;

export interface StatsDeps {
  db: Db;
  access: Pick<RowAccess, 'ensureVisible'>;
  views: RowViews;
  now(): Date;
}

/** The views of a window and their distribution, oldest first, with zeroes. */
export interface RowStats {
  window: StatsWindow;
  views: number;
  unit: 'hour' | 'day';
  series: { at: string; views: number }[];
}

/** The view statistics of rows. */
export function createStats(def: Definition, { db, access, views, now }: StatsDeps) {
  const { hoursOf, daysOf } = createBucketStatements(def);
  /** Reads both in one step: an hour folded into its day in between would be missing or counted twice. */
  const readBuckets = async (id: number, fromHour: number) => {
    const [hours, days] = await Promise.all([
      hoursOf(db.read, { row_id: id, from: fromHour }),
      daysOf(db.read, { row_id: id, from: Math.floor(fromHour / DAY_HOURS) }),
    ]);
    return { id, views: 0, hours, days };
  };
  return {
    /** The last 24 hours by hour, or the last 7, 30 or 365 UTC days by day. Throws not_found. */
    get: async (actor: AnyActor, id: number, window: StatsWindow): Promise<RowStats> => {
      await access.ensureVisible(db.read, actor, id);
      const at = now();
      const { unit, from, length } = spanOf(window, at);
      const perUnit = unit === 'hour' ? 1 : DAY_HOURS;
      const read = await views.withPending(() => readBuckets(id, from * perUnit));
      const counts = Array<number>(length).fill(0);
      const add = (hour: number, count: number) => {
        const index = Math.floor(hour / perUnit) - from;
        if (index >= 0 && index < length) counts[index] = (counts[index] ?? 0) + count;
      };
      for (const bucket of read.hours) add(bucket.hour, bucket.views);
      if (unit === 'day') {
        for (const { day, views: count } of read.days) add(day * DAY_HOURS, count);
      }
      add(hourOf(at), read.views);
      return {
        window,
        unit,
        views: counts.reduce((sum, count) => sum + count, 0),
        series: counts.map((count, index) => ({ at: startOf(unit, from + index), views: count })),
      };
    },
  };
}

/** The unit of a window, its first bucket and the number of buckets. */
function spanOf(window: StatsWindow, at: Date) {
  if (window === 'day') {
    return { unit: 'hour' as const, from: hourOf(at) - DAY_HOURS + 1, length: DAY_HOURS };
  }
  const length = WINDOW_DAYS[window];
  return { unit: 'day' as const, from: dayOf(at) - length + 1, length };
}

function startOf(unit: 'hour' | 'day', bucket: number): string {
  return new Date(bucket * (unit === 'hour' ? HOUR_MS : DAY_MS)).toISOString();
}
