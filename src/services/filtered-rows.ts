import type { Pace } from '../core/fair-turns.ts';
import type { Position } from '../utils/page.ts';
import { createSizes } from '../utils/time/window-sizes.ts';

/** Rows in the order of an index, and what is asked of each of them. */
export interface FilteredRows<Row> {
  pace: Pace;
  positionOf(row: Row): Position;
  /** The position of the row that follows `skip` others after `from`; undefined behind the last. */
  nth(from: Position | undefined, skip: number): Promise<Position | undefined>;
  /** Up to `limit` rows that pass, of those after `from`, up to and with `to`. */
  rows(from: Position | undefined, to: Position | undefined, limit: number): Promise<Row[]>;
}

/** Rows of one step, and of one page: one that is not full by then is a short one. */
const MOST = 2_000;
const MOST_LOOKED_AT = 200_000;

/**
 * Reads up to `limit` rows that pass, in steps of a few ms, and the position that the next page
 * starts from if there may be more.
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

/** Counts all rows that pass, in steps of a few ms. */
export async function countFiltered<Row>(
  source: FilteredRows<Row>,
  count: (from: Position | undefined, to: Position | undefined) => Promise<number>,
): Promise<number> {
  let total = 0;
  for await (const { start, to } of steps(source, undefined)) total += await count(start, to);
  return total;
}

async function* steps<Row>({ nth, pace }: FilteredRows<Row>, from: Position | undefined) {
  const sizes = createSizes(MOST);
  let start = from;
  for (let left = MOST_LOOKED_AT; ; ) {
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
