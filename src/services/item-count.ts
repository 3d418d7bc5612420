import { and, type SQL, sql } from 'drizzle-orm';
import { rowsOf } from '../core/dynamic-query.ts';
import type { Position } from '../utils/cursor.ts';
import type { SortKey } from './item-list-query.ts';
import { orderOf } from './item-order.ts';
import { segmentsOf } from './item-segments.ts';
import type { Stream } from './item-streams.ts';
import { type Walk, windowsOf } from './item-walk.ts';

interface Counted {
  total: number;
  /** Whether there are `total` or more. */
  total_is_capped: boolean;
}

/** How many items there are, as far as they are counted. */
export async function countItems(walk: Walk): Promise<Counted> {
  const counted: Counted = { total: 0, total_is_capped: false };
  for (const stream of walk.streams) {
    const isLookedAt = !stream.isSet && stream.residual.length > 0;
    const { total, total_is_capped } = isLookedAt
      ? await countLookingAt(walk, stream)
      : await countEntries(walk, stream);
    counted.total += total;
    counted.total_is_capped ||= total_is_capped;
  }
  return counted;
}

/** Entries of an index, or of a set, which has a bound of its own. */
async function countEntries(walk: Walk, stream: Stream): Promise<Counted> {
  const { session, order, ends, bounds } = walk;
  const { isSet, scan, joins, where, residual } = stream;
  const most = isSet ? bounds.most : bounds.counted;
  const [segment] = segmentsOf(stream, order, ends, {}) as [SQL];
  // Of a set it is one more query whether all of it was there to be counted.
  const size = isSet ? await sizeOf(walk, sql`${scan}`, most) : 0;
  const looked = isSet ? joins : sql``;
  const counting = sql`${scan} ${looked} where ${and(where, segment, ...residual)} limit ${most + 1}`;
  const [row] = await rowsOf<{ n: number }>(
    session,
    sql`select count(*) as n from (select 1 from ${counting})`,
  );
  const n = row?.n ?? 0;
  return { total: Math.min(n, most), total_is_capped: n > most || size >= most };
}

async function sizeOf({ session }: Walk, scan: SQL, most: number): Promise<number> {
  const counting = sql`select count(*) as n from (select 1 from ${scan} limit ${most})`;
  return (await rowsOf<{ n: number }>(session, counting))[0]?.n ?? 0;
}

/** Rows that must be looked at, by windows of the first key. */
async function countLookingAt(walk: Walk, stream: Stream): Promise<Counted> {
  const order = orderOf([walk.order[0] as SortKey]);
  let total = 0;
  let end: Position | undefined;
  for await (const span of windowsOf({ ...walk, order, streams: [stream] })) {
    for (const segment of segmentsOf(stream, order, walk.ends, span)) {
      const where = and(stream.where, segment, ...stream.residual);
      const counting = sql`select count(*) as n from ${stream.scan} ${stream.joins} where ${where}`;
      total += (await rowsOf<{ n: number }>(walk.session, counting))[0]?.n ?? 0;
    }
    end = span.to;
  }
  return { total, total_is_capped: end !== undefined };
}
