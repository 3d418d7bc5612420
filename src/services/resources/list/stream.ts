import { AppError } from '../../../core/exceptions.ts';
import type { Position } from '../../../utils/page.ts';
import { comparePositions, indexedPart, isAfter, isGrouped } from './order.ts';
import type { Bounds, Counted, ListedRow, SortKey } from './query.ts';

/** The position of a row in a list, with the row if it has been read. */
export interface Entry {
  position: Position;
  row?: ListedRow;
}

/** Some entries, in order: all those up to `upTo`, or to the end if it is undefined. */
export interface Batch {
  entries: Entry[];
  upTo: Position | undefined;
  /** The number of index entries that were checked. */
  looked: number;
}

/** A part of a list. */
export interface Stream {
  /** The entries after `from`, in batches; a batch need not have more than `limit`. */
  batches(from: Position | undefined, limit: number): AsyncGenerator<Batch>;
  /** The number of its entries, up to the bounds. */
  count(): Promise<Counted>;
}

/** The entries of a page, and the start of the next page if there may be one. */
export interface EntryPage {
  entries: Entry[];
  next: Position | undefined;
}

/** Reads up to `limit` entries; a page that is not full within the bounds is returned short. */
export async function takePage(
  batches: AsyncGenerator<Batch>,
  limit: number,
  { window, windows, maxMs }: Bounds,
): Promise<EntryPage> {
  const untilMs = performance.now() + maxMs;
  const entries: Entry[] = [];
  let looked = 0;
  for await (const batch of batches) {
    entries.push(...batch.entries);
    looked += batch.looked;
    const shown = entries.slice(0, limit);
    if (entries.length > limit) return { entries: shown, next: shown.at(-1)?.position };
    const isSpent = looked >= window * windows || performance.now() > untilMs;
    if (!batch.upTo || isSpent) return { entries, next: batch.upTo };
  }
  return { entries, next: undefined };
}

/** Merges streams without a common entry, in the order of an index. */
export async function* merged(
  order: readonly SortKey[],
  streams: readonly AsyncGenerator<Batch>[],
): AsyncGenerator<Batch> {
  const start: Position = [];
  const sides = streams.map((stream) => ({
    stream,
    entries: [] as Entry[],
    upTo: start as Batch['upTo'],
  }));
  const compare = comparisonOf(order);
  let upTo: Batch['upTo'] = start;
  do {
    let looked = 0;
    // Reads on where the list is incomplete: at first on all sides.
    for (const side of sides.filter((it) => it.upTo === upTo)) {
      const batch = (await side.stream.next()).value as Batch;
      side.entries.push(...batch.entries);
      side.upTo = batch.upTo;
      looked += batch.looked;
    }
    const ends = sides.flatMap((side) => (side.upTo ? [side.upTo] : []));
    const first = ends.sort(compare)[0];
    const isIn = ({ position }: Entry) => !first || compare(position, first) <= 0;
    const entries = sides.flatMap((side) => side.entries.filter(isIn));
    for (const side of sides) side.entries = side.entries.filter((it) => !isIn(it));
    if (sides.length > 1) entries.sort((a, b) => compare(a.position, b.position));
    yield { entries, upTo: first, looked };
    upTo = first;
  } while (upTo);
}

/** Compares positions in the order of an index, which has only the first key and the id. */
function comparisonOf(order: readonly SortKey[]): (a: Position, b: Position) => number {
  if (!isGrouped(order)) return (a, b) => comparePositions(order, a, b);
  const inIndex = indexedPart(order);
  const keysOf = (it: Position) => [it[0], it.at(-1)] as Position;
  return (a, b) => comparePositions(inIndex, keysOf(a), keysOf(b));
}

/**
 * Sorts the groups of equal first keys by the other keys, one after the other. Throws invalid_query
 * for a group that is too large.
 */
export async function* regrouped(
  order: readonly SortKey[],
  batches: AsyncGenerator<Batch>,
  from: Position | undefined,
  bounds: Bounds,
): AsyncGenerator<Batch> {
  let group: Entry[] = [];
  let last = from?.[0];
  let [looked, inGroup] = [0, 0];
  for await (const { upTo, ...batch } of batches) {
    group.push(...batch.entries);
    looked += batch.looked;
    const key = upTo?.[0];
    inGroup = last === undefined || key === last ? inGroup + batch.looked : 0;
    if (inGroup > bounds.most) throw groupTooLarge(order[0] as SortKey, bounds);
    // A page must not end where it started.
    if (upTo && key === last) continue;
    const isOver = ({ position }: Entry) => !upTo || position[0] !== key;
    const over = group.filter((it) => isOver(it) && (!from || isAfter(order, it.position, from)));
    over.sort((a, b) => comparePositions(order, a.position, b.position));
    yield { entries: over, upTo: upTo && [key as Position[number]], looked };
    group = group.filter((it) => !isOver(it));
    last = key;
    looked = 0;
  }
}

function groupTooLarge({ field }: SortKey, { most }: Bounds): AppError {
  const msg = `More than ${most} rows share one ${field}: sort by it alone, or filter them`;
  return new AppError('invalid_query', msg, {
    fields: [{ type: 'too_long', path: ['sort'], msg }],
  });
}
