import { allOf, type Fragment, fragment, joined, raw } from '../../../core/db/fragment.ts';
import type { Position } from '../../../utils/page.ts';
import { compare } from '../../conditions.ts';
import type { Source } from './listing.ts';
import { indexedPart } from './order.ts';
import type { Filter, SortKey } from './query.ts';

export interface Ends {
  start: Filter | undefined;
  end: Filter | undefined;
}

/** An index, and the filters on its first key. */
export interface Bounded {
  source: Source;
  ends: Ends;
}

/** The filters that bound a walk by `key`; all others are checked for each row. */
export function endsOf(filters: readonly Filter[], key: SortKey): Ends {
  const find = (...ops: Filter['op'][]) =>
    filters.find(({ field, op }) => field === key.field && ops.includes(op));
  const lower = find('eq', 'gte', 'gt');
  const upper = find('eq', 'lte', 'lt');
  return key.isDescending ? { start: upper, end: lower } : { start: lower, end: upper };
}

/** The entries of an index after a position, up to `limit`. */
export function entriesAfter(
  order: readonly SortKey[],
  { source, ends }: Bounded,
  from: Position | undefined,
  limit: number,
): Fragment {
  return entriesWhere(order, source, rangesAfter(order, { source, ends }, from), limit);
}

/** The entries of consecutive ranges of an index. */
export function entriesWhere(
  order: readonly SortKey[],
  source: Source,
  ranges: readonly Fragment[],
  limit: number,
): Fragment {
  const parts = ranges.map((range) => fragment`${entriesIn(order, source, range)} limit ${limit}`);
  if (parts.length === 1) return parts[0] as Fragment;
  const each = parts.map((part) => fragment`select * from (${part})`);
  return fragment`${joined(each, ' union all ')} limit ${limit}`;
}

/** The entries of a range of an index, as `key` and `id`. */
export function entriesIn(
  order: readonly SortKey[],
  { from, where, key, id }: Source,
  range: Fragment,
): Fragment {
  const [first, second] = indexedPart(order) as [SortKey, SortKey | undefined];
  const orderBy = second
    ? fragment`${key} ${directionOf(first)}, ${id} ${directionOf(second)}`
    : fragment`${id} ${directionOf(first)}`;
  return fragment`select ${key} as key, ${id} as id from ${from} where ${range} and ${where} order by ${orderBy}`;
}

/**
 * The ranges of an index after `from`, in order. SQLite seeks only by the first column of a row
 * value, so entries that tie with `from` are a separate range.
 */
export function rangesAfter(
  order: readonly SortKey[],
  { source: { key, id }, ends: { start, end } }: Bounded,
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

export function directionOf({ isDescending }: SortKey): Fragment {
  return raw(isDescending ? 'desc' : 'asc');
}
