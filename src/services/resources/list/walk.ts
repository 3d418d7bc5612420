import {
  allOf,
  type Fragment,
  fragment,
  nameOf,
  raw,
  tableName,
} from '../../../core/db/fragment.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Position } from '../../../utils/page.ts';
import { createSizes } from '../../../utils/time/window-sizes.ts';
import {
  type Bounded,
  directionOf,
  entriesAfter,
  entriesIn,
  entriesWhere,
  rangesAfter,
} from './entries.ts';
import { namesOf, positionOf, type Reading, selectionOf } from './listing.ts';
import { indexedPart, isGrouped } from './order.ts';
import type { Counted, ListedRow, SortKey } from './query.ts';
import type { Batch, Entry, Stream } from './stream.ts';

/** Entries of the first window, if checking them is cheap: about a fifth of a millisecond. */
const LIGHT_WINDOW = 512;

/** Reads an index in windows; one without conditions in a single one. */
export function createWalk(reading: Reading, walk: Walk): Stream {
  const { bounds, pace, order } = reading;
  return {
    batches: async function* (from, limit) {
      const needsWindows = isGrouped(order) || isChecked(reading, walk);
      const sizes = createSizes(bounds.window, walk.isLight ? LIGHT_WINDOW : undefined);
      const most = bounds.window * bounds.windows;
      for (let position = from, left = most; ; await pace()) {
        const size = Math.min(sizes.next(), left);
        const batch = needsWindows
          ? await readWindow(reading, walk, position, size, limit)
          : await readAll(reading, walk, position, limit);
        yield batch;
        if (!batch.upTo) return;
        position = batch.upTo;
        left = left - size || most;
        sizes.taken();
      }
    },
    count: () =>
      isChecked(reading, walk) ? countChecked(reading, walk) : countEntries(reading, walk),
  };
}

/** Reads the next entries of an index whose rows need no check: the rows as well if that is simple. */
async function readAll(
  reading: Reading,
  walk: Walk,
  from: Position | undefined,
  limit: number,
): Promise<Batch> {
  const { session, order } = reading;
  const ranges = rangesAfter(order, walk, from);
  const query = entriesWhere(order, walk.source, ranges, limit);
  const hasRows = walk.isOnly && ranges.length === 1;
  const rows = await rowsOf<ListedRow & { key: string | number }>(
    session,
    hasRows
      ? fragment`with found(key, id) as not materialized (${query}) select ${selectionOf(reading, namesOf(reading, true))} ${rowsFound(reading, walk)}`
      : query,
  );
  const entries = rows.map((row): Entry => {
    if (hasRows) return { position: positionOf(reading, row), row };
    return { position: order.length > 1 ? [row.key, row.id] : [row.id] };
  });
  const upTo = entries.length < limit ? undefined : entries.at(-1)?.position;
  return { entries, upTo, looked: 0 };
}

/** Entries of an index, and the conditions that are checked for their rows. */
export interface Walk extends Bounded {
  residual: readonly Fragment[];
  /** True if these conditions read little of a row. */
  isLight: boolean;
  /** True if the page has no other entries, so that their rows can be read along. */
  isOnly: boolean;
}

function isChecked({ rule }: Reading, { residual }: Walk): boolean {
  return rule !== undefined || residual.length > 0;
}

/**
 * The rows after `from` that pass, among the next `size` entries. In a grouped list all of them,
 * else no more than `limit`.
 */
async function readWindow(
  reading: Reading,
  walk: Walk,
  from: Position | undefined,
  size: number,
  limit: number,
): Promise<Batch> {
  const most = isGrouped(reading.order) || reading.rule ? size : limit;
  const isById = reading.order.length === 1 && walk.source.isOwn;
  const range = isById ? await gaplessRange(reading, walk, from, size) : undefined;
  const { rows, upTo } = range
    ? { rows: await readRange(reading, walk, range, most), upTo: [range.to] }
    : await readEntries(reading, walk, from, { size, most });
  const passing = reading.rule ? rows.filter(reading.rule) : rows;
  const entries = passing.map((row) => entryOf(reading, walk, row));
  const isFull = !isGrouped(reading.order) && entries.length >= limit;
  if (!isFull) return { entries, upTo, looked: size };
  return { entries: entries.slice(0, limit), upTo: entries[limit - 1]?.position, looked: size };
}

interface IdRange {
  from: number;
  to: number;
}

/**
 * The ids of the next `size` entries, both ends included, if there is no gap between them. Then no row
 * is among them that the caller may not see.
 */
async function gaplessRange(
  { session, order }: Reading,
  walk: Walk,
  from: Position | undefined,
  size: number,
): Promise<IdRange | undefined> {
  const ranges = rangesAfter(order, walk, from);
  const idAt = async (offset: number) => {
    const entry = fragment`${entriesIn(order, walk.source, ranges[0] as Fragment)} limit 1 offset ${offset}`;
    return (await rowsOf<{ id: number }>(session, entry))[0]?.id;
  };
  const [first, last] = [await idAt(0), await idAt(size - 1)];
  if (first === undefined || last === undefined) return undefined;
  return Math.abs(first - last) === size - 1 ? { from: first, to: last } : undefined;
}

/** Reads the table in its own order, which takes a third of the time of an index. */
function readRange(
  reading: Reading,
  walk: Walk,
  { from, to }: IdRange,
  most: number,
): Promise<ListedRow[]> {
  const { session, order, listing } = reading;
  const id = nameOf(listing.table.id);
  const isIn = fragment`${id} between ${Math.min(from, to)} and ${Math.max(from, to)}`;
  return rowsOf<ListedRow>(
    session,
    fragment`select ${selectionOf(reading, namesIn(reading, walk))}
      from ${tableName(listing.table.id)} not indexed ${listing.joins}
      where ${allOf([...walk.residual, isIn, walk.source.where])}
      order by ${id} ${directionOf(order[0] as SortKey)} limit ${most}`,
  );
}

/**
 * Reads the rows of entries. One statement finds them and the end of the window: between two, rows
 * could come or go.
 */
async function readEntries(
  reading: Reading,
  walk: Walk,
  from: Position | undefined,
  { size, most }: { size: number; most: number },
): Promise<{ rows: ListedRow[]; upTo: Position | undefined }> {
  const { session, order } = reading;
  const names = namesIn(reading, walk);
  const rows = await rowsOf<ListedRow>(
    session,
    fragment`with found(key, id) as not materialized (${entriesAfter(order, walk, from, size)})
      select * from (select ${selectionOf(reading, names)} ${rowsFound(reading, walk)} limit ${most})
      union all select * from (select ${endOf(order, names)} from found limit 1 offset ${size - 1})`,
  );
  if ((rows.at(-1)?.id ?? 0) >= 0) return { rows, upTo: undefined };
  const end = rows.pop() as ListedRow;
  const position = positionOf(reading, { ...end, id: -end.id });
  return { rows, upTo: order.length > 2 ? ([position[0], position.at(-1)] as Position) : position };
}

/** The end of a window as a row: only its first key and its id, which is negative. */
function endOf(order: readonly SortKey[], names: readonly string[]): Fragment {
  const keyAt = order[0]?.field === 'id' ? 0 : 1;
  return raw(
    names.map((_, index) => (index === 0 ? '-id' : index === keyAt ? 'key' : 'null')).join(),
  );
}

/** The rows of the entries of the CTE `found` that pass. */
function rowsFound({ listing }: Reading, { residual }: Pick<Walk, 'residual'>): Fragment {
  const { id } = listing.table;
  const isPassing = residual.length > 0 ? fragment`where ${allOf(residual)}` : raw('');
  return fragment`from found cross join ${tableName(id)} on ${nameOf(id)} = found.id ${listing.joins} ${isPassing}`;
}

/** True if rows are read with all columns, rather than their positions alone. */
function isWhole({ order }: Reading, { isOnly }: Walk): boolean {
  return isOnly && !isGrouped(order);
}

function namesIn(reading: Reading, walk: Walk): string[] {
  return namesOf(reading, isWhole(reading, walk));
}

function entryOf(reading: Reading, walk: Walk, row: ListedRow): Entry {
  const position = positionOf(reading, row);
  return isWhole(reading, walk) || reading.rule ? { position, row } : { position };
}

/** Entries counted in one statement: about a millisecond. */
const COUNT_STEP = 10_000;

/** Counts entries whose rows need no check. */
async function countEntries(reading: Reading, walk: Walk): Promise<Counted> {
  const { counted } = reading.bounds;
  let total = 0;
  for (let from: Position | undefined; total <= counted; await reading.pace()) {
    const step = Math.min(COUNT_STEP, counted + 1 - total);
    const found = await countSome(reading, walk, from, step);
    total += found.total;
    from = found.upTo;
    if (!from) break;
  }
  return { total: Math.min(total, counted), total_is_capped: total > counted };
}

/** Counts the rows that pass. */
async function countChecked(reading: Reading, walk: Walk): Promise<Counted> {
  const { window, windows, maxMs, counted } = reading.bounds;
  const isBounded = Number.isFinite(counted);
  const untilMs = performance.now() + maxMs;
  const sizes = createSizes(window);
  let total = 0;
  let from: Position | undefined;
  for (let left = window * windows; left > 0 || !isBounded; await reading.pace()) {
    const size = isBounded ? Math.min(sizes.next(), left) : sizes.next();
    const found = await countSome(reading, walk, from, size);
    total += found.total;
    from = found.upTo;
    if (!from || (isBounded && performance.now() > untilMs)) break;
    left -= size;
    sizes.taken();
  }
  return { total, total_is_capped: from !== undefined };
}

async function countSome(
  reading: Reading,
  walk: Walk,
  from: Position | undefined,
  size: number,
): Promise<{ total: number; upTo: Position | undefined }> {
  const { session, rule, order } = reading;
  if (rule) {
    const inIndex = { ...reading, order: indexedPart(order) };
    const { entries, upTo } = await readWindow(inIndex, walk, from, size, size + 1);
    return { total: entries.length, upTo };
  }
  const rows = isChecked(reading, walk) ? rowsFound(reading, walk) : raw('from found');
  const last = fragment`from found limit 1 offset ${size - 1}`;
  const [row] = await rowsOf<{ total: number; key: string | number; id: number | null }>(
    session,
    fragment`with found(key, id) as materialized (${entriesAfter(order, walk, from, size)})
      select count(*) as total, (select key ${last}) as key, (select id ${last}) as id ${rows}`,
  );
  if (!row || row.id === null) return { total: row?.total ?? 0, upTo: undefined };
  return { total: row.total, upTo: order.length > 1 ? [row.key, row.id] : [row.id] };
}
