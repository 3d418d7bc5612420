import {
  allOf,
  type Fragment,
  fragment,
  joined,
  nameOf,
  raw,
  tableName,
} from '../../../core/db/fragment.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Position } from '../../../utils/page.ts';
import { createSizes } from '../../../utils/time/window-sizes.ts';
import { compare } from '../../conditions.ts';
import type { Source } from './listing.ts';
import { indexedPart, isGrouped } from './order.ts';
import type { Counted, Filter, ListedRow, SortKey } from './query.ts';
import { namesOf, positionOf, type Reading, selectionOf } from './reading.ts';
import type { Batch, Entry, Stream } from './stream.ts';

/** Entries of an index, and the conditions that are checked for their rows. */
export interface Walk {
  source: Source;
  /** Filters on the first key: the start and end of the walk. */
  ends: Ends;
  residual: readonly Fragment[];
  /** True if the page has no other entries, so that their rows can be read along. */
  isOnly: boolean;
}

export interface Ends {
  start: Filter | undefined;
  end: Filter | undefined;
}

/** The filters that bound a walk by `key`; all others are checked for each row. */
export function endsOf(filters: readonly Filter[], key: SortKey): Ends {
  const find = (...ops: Filter['op'][]) =>
    filters.find(({ field, op }) => field === key.field && ops.includes(op));
  const lower = find('eq', 'gte', 'gt');
  const upper = find('eq', 'lte', 'lt');
  return key.isDescending ? { start: upper, end: lower } : { start: lower, end: upper };
}

/** Reads an index in windows; one without conditions in a single one. */
export function createWalk(reading: Reading, walk: Walk): Stream {
  const { bounds, pace } = reading;
  return {
    batches: async function* (from, limit) {
      const needsWindows = isGrouped(reading.order) || isChecked(reading, walk);
      const sizes = createSizes(bounds.window);
      const most = bounds.window * bounds.windows;
      for (let position = from, left = most; ; await pace()) {
        const size = Math.min(sizes.next(), left);
        const batch = needsWindows
          ? await readBatch(reading, walk, position, size, limit)
          : await readEntries(reading, walk, position, limit);
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

function isChecked({ rule }: Reading, { residual }: Walk): boolean {
  return rule !== undefined || residual.length > 0;
}

/**
 * The rows after `from` that pass, among the next `size` entries, and no more than `limit` of them.
 * One statement finds them and the end of the window: between two, rows could come or go.
 */
async function readBatch(
  reading: Reading,
  walk: Walk,
  from: Position | undefined,
  size: number,
  limit: number,
): Promise<Batch> {
  const { session, order, rule } = reading;
  const isAll = isGrouped(order);
  const names = namesOf(reading, walk.isOnly && !isAll);
  const rows = await rowsOf<ListedRow>(
    session,
    fragment`with found(key, id) as materialized (${entriesAfter(reading, walk, from, size)})
      select * from (select ${selectionOf(reading, names)} ${rowsFound(reading, walk)}
        limit ${isAll || rule ? size : limit})
      union all select * from (select ${endOf(order, names)} from found limit 1 offset ${size - 1})`,
  );
  const end = (rows.at(-1)?.id ?? 0) < 0 ? (rows.pop() as ListedRow) : undefined;
  const passing = rule ? rows.filter(rule) : rows;
  const entries = passing.map((row) => entryOf(reading, row, walk.isOnly && !isAll));
  if (!isAll && entries.length >= limit) {
    return { entries: entries.slice(0, limit), upTo: entries[limit - 1]?.position, looked: size };
  }
  return {
    entries,
    upTo: end && inIndex(order, positionOf(reading, { ...end, id: -end.id })),
    looked: size,
  };
}

/** The end of a window as a row: only its first key and its id, which is negative. */
function endOf(order: readonly SortKey[], names: readonly string[]): Fragment {
  const keyAt = order[0]?.field === 'id' ? 0 : 1;
  return raw(
    names.map((_, index) => (index === 0 ? '-id' : index === keyAt ? 'key' : 'null')).join(),
  );
}

function inIndex(order: readonly SortKey[], position: Position): Position {
  return order.length > 2 ? ([position[0], position.at(-1)] as Position) : position;
}

/** Reads the next entries of an index whose rows need no check: the rows as well if that is simple. */
async function readEntries(
  reading: Reading,
  walk: Walk,
  from: Position | undefined,
  limit: number,
): Promise<Batch> {
  const { session, order } = reading;
  const conditions = conditionsAfter(order, walk, from);
  const query = entriesWhere(order, walk.source, conditions, limit);
  const hasRows = walk.isOnly && conditions.length === 1;
  const names = namesOf(reading, true);
  const rows = await rowsOf<ListedRow & { key: string | number }>(
    session,
    hasRows
      ? fragment`with found(key, id) as materialized (${query}) select ${selectionOf(reading, names)} ${rowsFound(reading, walk)}`
      : query,
  );
  const entries = hasRows
    ? rows.map((row) => entryOf(reading, row, true))
    : rows.map(({ key, id }): Entry => ({ position: order.length > 1 ? [key, id] : [id] }));
  const upTo = entries.length < limit ? undefined : entries.at(-1)?.position;
  return { entries, upTo, looked: 0 };
}

function entryOf(reading: Reading, row: ListedRow, isWhole: boolean): Entry {
  const position = positionOf(reading, row);
  return isWhole || reading.rule ? { position, row } : { position };
}

/** The rows of the entries of the CTE `found` that pass. */
function rowsFound({ listing }: Reading, { residual }: Walk): Fragment {
  const { id } = listing.table;
  const isPassing = residual.length > 0 ? fragment`where ${allOf(residual)}` : raw('');
  return fragment`from found cross join ${tableName(id)} on ${nameOf(id)} = found.id ${listing.joins} ${isPassing}`;
}

/** The entries of an index after a position, up to `limit`. */
function entriesAfter({ order }: Reading, walk: Walk, from: Position | undefined, limit: number) {
  return entriesWhere(order, walk.source, conditionsAfter(order, walk, from), limit);
}

/** The entries of consecutive ranges of an index. */
function entriesWhere(
  order: readonly SortKey[],
  { from, where, key, id }: Source,
  ranges: readonly Fragment[],
  limit: number,
): Fragment {
  const [first, second] = indexedPart(order) as [SortKey, SortKey | undefined];
  const direction = ({ isDescending }: SortKey) => raw(isDescending ? 'desc' : 'asc');
  const orderBy = second
    ? fragment`${key} ${direction(first)}, ${id} ${direction(second)}`
    : fragment`${id} ${direction(first)}`;
  const parts = ranges.map(
    (range) =>
      fragment`select ${key} as key, ${id} as id from ${from} where ${range} and ${where} order by ${orderBy} limit ${limit}`,
  );
  if (parts.length === 1) return parts[0] as Fragment;
  const each = parts.map((part) => fragment`select * from (${part})`);
  return fragment`${joined(each, ' union all ')} limit ${limit}`;
}

/**
 * The ranges of an index after `from`, in order. SQLite seeks only by the first column of a row
 * value, so entries that tie with `from` are a separate range.
 */
function conditionsAfter(
  order: readonly SortKey[],
  { source: { key, id }, ends: { start, end } }: Walk,
  from: Position | undefined,
): Fragment[] {
  const [first, second] = indexedPart(order) as [SortKey, SortKey | undefined];
  const at = second ? key : id;
  const isWithin = [...new Set([from?.length ? undefined : start, end])].flatMap((filter) =>
    filter ? [compare(at, filter.op, filter.values)] : [],
  );
  const [value, lastId] = from ?? [];
  if (value === undefined) return [allOf(isWithin)];
  const beyond = allOf([after(at, first, value), ...isWithin]);
  if (!second) return [beyond];
  const isTied = fragment`${at} = ${value}`;
  // Without an id, all entries of the group are after `from`.
  if (lastId === undefined) return [isTied, beyond];
  return [fragment`${isTied} and ${after(id, second, lastId)}`, beyond];
}

function after(at: Fragment, { isDescending }: SortKey, value: string | number): Fragment {
  return fragment`${at} ${raw(isDescending ? '<' : '>')} ${value}`;
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
    const all = { ...reading, order: indexedPart(order) };
    const { entries, upTo } = await readBatch(all, walk, from, size, size + 1);
    return { total: entries.length, upTo };
  }
  const rows = isChecked(reading, walk) ? rowsFound(reading, walk) : raw('from found');
  const last = fragment`from found limit 1 offset ${size - 1}`;
  const [row] = await rowsOf<{ total: number; key: string | number; id: number | null }>(
    session,
    fragment`with found(key, id) as materialized (${entriesAfter(reading, walk, from, size)})
      select count(*) as total, (select key ${last}) as key, (select id ${last}) as id ${rows}`,
  );
  if (!row || row.id === null) return { total: row?.total ?? 0, upTo: undefined };
  return { total: row.total, upTo: order.length > 1 ? [row.key, row.id] : [row.id] };
}
