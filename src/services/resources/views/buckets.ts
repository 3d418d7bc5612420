import { sql } from 'drizzle-orm';
import { prepareChange, prepareRows } from '../../../core/db/query.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { tablesOf } from '../statements.ts';

/** The views of a row in one hour, counted since 1970. */
export type HourBucket = { hour: number; row_id: number; views: number };
/** The views of a row in one UTC day, counted since 1970. */
export type DayBucket = { day: number; row_id: number; views: number };

/** The last bucket that has left a window. */
export type Position = { bucket: number; row_id: number };

export type Window = 'week' | 'month';

export type BucketStatements = ReturnType<typeof createBucketStatements>;

type Until = { until: number; limit: number };
type Since = { row_id: number; from: number };

/** The prepared statements of the views of a resource by hour and day. */
export function createBucketStatements(def: Definition) {
  const { views, hours, days, rowId } = tablesOf(def);
  const p = sql.placeholder;
  return {
    /** Hours up to `until`, oldest first. */
    oldHours: prepareRows<Until, HourBucket>(
      sql`select hour, ${rowId} as row_id, views from ${hours} where hour <= ${p('until')} order by hour, ${rowId} limit ${p('limit')}`,
    ),

    /** Days before `until`, oldest first. */
    oldDays: prepareRows<Until, DayBucket>(
      sql`select day, ${rowId} as row_id, views from ${days} where day < ${p('until')} order by day, ${rowId} limit ${p('limit')}`,
    ),

    /** Days up to `until` after a position, in order. */
    daysAfter: prepareRows<Position & Until, DayBucket>(
      sql`select day, ${rowId} as row_id, views from ${days} where (day, ${rowId}) > (${p('bucket')}, ${p('row_id')}) and day <= ${p('until')} order by day, ${rowId} limit ${p('limit')}`,
    ),

    addToDay: prepareChange<DayBucket>(
      sql`insert into ${days} (day, ${rowId}, views) values (${p('day')}, ${p('row_id')}, ${p('views')}) on conflict (day, ${rowId}) do update set views = ${days}.views + excluded.views`,
    ),

    removeHour: prepareChange<HourBucket>(
      sql`delete from ${hours} where hour = ${p('hour')} and ${rowId} = ${p('row_id')}`,
    ),

    removeDay: prepareChange<DayBucket>(
      sql`delete from ${days} where day = ${p('day')} and ${rowId} = ${p('row_id')}`,
    ),

    /** Subtracts views from the windows of a row. */
    subtract: prepareChange<{ row_id: number; day: number; week: number; month: number }>(
      sql`update ${views} set day = day - ${p('day')}, week = week - ${p('week')}, month = month - ${p('month')} where ${rowId} = ${p('row_id')}`,
    ),

    /** The hours of a row since `from`. */
    hoursOf: prepareRows<Since, HourBucket>(
      sql`select hour, ${rowId} as row_id, views from ${hours} where ${rowId} = ${p('row_id')} and hour >= ${p('from')}`,
    ),

    /** The days of a row since `from`. */
    daysOf: prepareRows<Since, DayBucket>(
      sql`select day, ${rowId} as row_id, views from ${days} where ${rowId} = ${p('row_id')} and day >= ${p('from')}`,
    ),

    ...positionStatements(def),
  };
}

/** The position of each window's sweep, in a table of all resources. */
function positionStatements({ name }: Definition) {
  const p = sql.placeholder;
  // Items had windows before other resources did.
  const key = (window: Window) => (name === 'items' ? window : `${name} ${window}`);
  const read = prepareRows<{ window: string }, Position>(
    sql`select bucket, item_id as row_id from view_sweeps where "window" = ${p('window')}`,
  );
  const move = prepareChange<Position & { window: string }>(
    sql`insert into view_sweeps ("window", bucket, item_id) values (${p('window')}, ${p('bucket')}, ${p('row_id')}) on conflict ("window") do update set bucket = excluded.bucket, item_id = excluded.item_id`,
  );
  return {
    /** The progress of a window's sweep; before all buckets if it has never run. */
    positionOf: async (session: Parameters<typeof read>[0], window: Window): Promise<Position> =>
      (await read(session, { window: key(window) }))[0] ?? { bucket: -1, row_id: 0 },
    moveTo: (session: Parameters<typeof move>[0], window: Window, position: Position) =>
      move(session, { window: key(window), ...position }),
  };
}
