import type { Pace } from '../core/fair-turns.ts';
import type { Position } from '../utils/page.ts';
import { createSizes } from '../utils/time/window-sizes.ts';

/** Access to rows in the order of an index, some of which pass a filter. */
export interface FilteredRows<Row> {
  pace: Pace;
  positionOf(row: Row): Position;
  /** The position of the row after `from` that follows `skip` others; undefined after the last. */
  nth(from: Position | undefined, skip: number): Promise<Position | undefined>;
  /** Returns at most `limit` of the rows after `from`, up to and including `to`, that pass the filter. */
  rows(from: Position | undefined, to: Position | undefined, limit: number): Promise<Row[]>;
}

/** Most rows scanned in one step. */
const MAX_STEP = 2_000;
/** Most rows scanned for one page; a page that is not full by then ends there. */
const MAX_SCANNED = 200_000;

/**
 * Reads at most `limit` rows that pass the filter, in steps of a few milliseconds. `next` is the
 * position from which the next page starts, or undefined if there are no more rows.
 */
export async function readFiltered<Row>(
  source: FilteredRows<Row>,
  from: Position | undefined,
  limit: number,
): Promise<{ rows: Row[]; next: Position | undefined }> {
  const found: Row[] = [];
  for await (const { start, to, left } of steps(source, from)) {
    found.push(...(await source.rows(start, to, limit + 1 - found.length)));
    const rows = found.slice(0, limit);
    if (found.length > limit) return { rows, next: source.positionOf(rows.at(-1) as Row) };
    if (!to || left <= 0) return { rows, next: to };
  }
  return { rows: found, next: undefined };
}

/** Counts all rows that pass the filter, in steps of a few milliseconds. */
export async function countFiltered<Row>(
  source: FilteredRows<Row>,
  count: (from: Position | undefined, to: Position | undefined) => Promise<number>,
): Promise<number> {
  let total = 0;
  for await (const { start, to } of steps(source, undefined)) total += await count(start, to);
  return total;
}

async function* steps<Row>({ nth, pace }: FilteredRows<Row>, from: Position | undefined) {
  const sizes = createSizes(MAX_STEP);
  let start = from;
  for (let left = MAX_SCANNED; ; ) {
    const size = sizes.next();
    const to = await nth(start, size - 1);
    left -= size;
    yield { start, to, left };
    if (!to) return;
    start = to;
    sizes.taken();
    await pace();
  }
}
