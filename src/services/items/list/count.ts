import { and, sql } from 'drizzle-orm';
import { rowsOf } from '../../../core/db/query.ts';
import type { Position } from '../../../utils/page.ts';
import { orderOf } from './order.ts';
import type { SortKey } from './query.ts';
import { segmentsOf } from './segments.ts';
import type { Stream } from './streams.ts';
import { earliestNth, type Walk, windowsOf } from './walk.ts';

export interface Counted {
  total: number;
  /** Whether there are `total` or more. */
  total_is_capped: boolean;
}

/** Entries of one statement: about a millisecond. */
const STEP = 10_000;

/** How many items a walk comes by, as far as they are counted. */
export async function countWalk(walk: Walk): Promise<Counted> {
  const counted: Counted = { total: 0, total_is_capped: false };
  const order = orderOf([walk.order[0] as SortKey]);
  for (const stream of walk.streams) {
    const one = { ...walk, order, streams: [stream] };
    const { total, total_is_capped } =
      stream.residual.length > 0
        ? await countLookingAt(one, stream)
        : await countEntries(one, stream);
    counted.total += total;
    counted.total_is_capped ||= total_is_capped;
  }
  return counted;
}

/** Entries of an index, step by step. */
async function countEntries(walk: Walk, stream: Stream): Promise<Counted> {
  const { counted } = walk.bounds;
  let total = 0;
  for (let from: Position | undefined; total <= counted; ) {
    const step = Math.min(STEP, counted + 1 - total);
    const to = await earliestNth(walk, from, step - 1);
    if (!to) {
      total += await countSpan(walk, stream, { from, to });
      break;
    }
    total += step;
    from = to;
    await walk.pace();
  }
  return { total: Math.min(total, counted), total_is_capped: total > counted };
}

/** Rows that must be looked at, by windows. */
async function countLookingAt(walk: Walk, stream: Stream): Promise<Counted> {
  let total = 0;
  let end: Position | undefined;
  for await (const span of windowsOf(walk)) {
    total += await countSpan(walk, stream, span);
    end = span.to;
  }
  return { total, total_is_capped: end !== undefined };
}

async function countSpan(
  { session, order, ends }: Walk,
  stream: Stream,
  span: { from?: Position | undefined; to?: Position | undefined },
): Promise<number> {
  let total = 0;
  const joins = stream.residual.length > 0 ? stream.joins : sql``;
  for (const segment of segmentsOf(stream, order, ends, span)) {
    const where = and(stream.where, segment, ...stream.residual);
    const counting = sql`select count(*) as n from ${stream.scan} ${joins} where ${where}`;
    total += (await rowsOf<{ n: number }>(session, counting))[0]?.n ?? 0;
  }
  return total;
}
