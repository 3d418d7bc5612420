import { type SQL, sql } from 'drizzle-orm';
import type { Session } from '../core/db/db.ts';
import { rowsOf } from '../core/db/query.ts';
import type { Pace } from '../core/fair-turns.ts';
import { rowCounts, SEGMENT_BITS } from '../models/row-counts.ts';
import { firstRemoved } from './accounts/removed.ts';

/** Rows skipped in one step. */
const STEP = 4_000;

/** A table whose rows are counted by segments of their ids. */
export interface CountedRows {
  of: typeof rowCounts.$inferSelect.of;
  /** `select id from … where …`, to which a condition on the id is appended. */
  ids: SQL;
}

/** The place of a row: `rest` rows lie between the id `after` and it. */
export type Place = { after: number; rest: number };

/**
 * The place of the row that follows `skip` others in the order of their ids, with a `rest` below
 * 4,096. Undefined if there are fewer rows.
 */
export async function placeAfter(
  session: Session,
  pace: Pace,
  { of, ids }: CountedRows,
  skip: number,
): Promise<Place | undefined> {
  if (skip < STEP) return { after: 0, rest: skip };
  const [removed] = await firstRemoved(session, {});
  // Until the rows of deleted accounts are erased, they are counted but must not be skipped over.
  return removed?.id ? placeByWalk(session, pace, ids, skip) : placeBySegment(session, of, skip);
}

async function placeBySegment(
  session: Session,
  of: CountedRows['of'],
  skip: number,
): Promise<Place | undefined> {
  const counted = sql`select segment, rows, sum(rows) over (order by segment) as upto from ${rowCounts} where "of" = ${of}`;
  const [row] = await rowsOf<{ segment: number; rest: number }>(
    session,
    sql`select segment, ${skip} - (upto - rows) as rest from (${counted}) where upto > ${skip} order by segment limit 1`,
  );
  return row && { after: row.segment * 2 ** SEGMENT_BITS - 1, rest: row.rest };
}

async function placeByWalk(
  session: Session,
  pace: Pace,
  ids: SQL,
  skip: number,
): Promise<Place | undefined> {
  let after = 0;
  for (let rest = skip; ; rest -= STEP) {
    if (rest < STEP) return { after, rest };
    const [row] = await rowsOf<{ id: number }>(
      session,
      sql`${ids} and id > ${after} order by id limit 1 offset ${STEP - 1}`,
    );
    if (!row) return undefined;
    after = row.id;
    await pace();
  }
}
