import { and, type SQL, sql } from 'drizzle-orm';
import type { Position, Shape } from '../../../utils/page.ts';
import type { FilterOp } from '../../conditions.ts';
import type { ItemFilter, SortKey } from './query.ts';
import type { Expressions, Stream } from './streams.ts';

/** Newest first; with words, most relevant first. */
export function defaultSort(q: string | undefined): readonly SortKey[] {
  return [
    q === undefined
      ? { field: 'id', isDescending: true }
      : { field: 'relevance', isDescending: false },
  ];
}

/**
 * The keys of a total order: `sort` up to its id, or with the id as the last tie-breaker in the
 * direction of the last key. After views and relevance the id has the opposite direction: the most
 * viewed items are listed lowest id first, as in v1, and the most relevant ones newest first.
 */
export function orderOf(sort: readonly SortKey[]): SortKey[] {
  const at = sort.findIndex(({ field }) => field === 'id');
  if (at >= 0) return sort.slice(0, at + 1);
  const last = sort.at(-1) as SortKey;
  return [...sort, { field: 'id', isDescending: naturalIdDirection(last) }];
}

/** True if no index has this order: several keys, or an id in the other direction. */
export function isGrouped(order: readonly SortKey[]): boolean {
  const [first, second] = order as [SortKey, SortKey | undefined];
  if (!second) return false;
  return order.length > 2 || second.isDescending !== naturalIdDirection(first);
}

function naturalIdDirection({ field, isDescending }: SortKey): boolean {
  return field === 'views' || field === 'relevance' ? !isDescending : isDescending;
}

/** The types of the values of a position. */
export function shapeOf(order: readonly SortKey[]): Shape {
  const numbers = ['id', 'views', 'relevance'];
  return order.map(({ field }) => (numbers.includes(field) ? 'number' : 'string'));
}

export function orderBy(order: readonly SortKey[], expressions: Expressions): SQL {
  const terms = order.map(
    ({ field, isDescending }) =>
      sql`${expressions(field)} ${sql.raw(isDescending ? 'desc' : 'asc')}`,
  );
  return sql.join(terms, sql`, `);
}

const OPERATORS = {
  after: ['>', '<'],
  notBefore: ['>=', '<='],
  before: ['<', '>'],
  notAfter: ['<=', '>='],
} as const;

/** SQL that compares a sort key with a value, in the direction of the key. */
function compareKey(
  side: keyof typeof OPERATORS,
  { field, isDescending }: SortKey,
  at: Expressions,
  value: string | number | undefined,
): SQL {
  return sql`${at(field)} ${sql.raw(OPERATORS[side][isDescending ? 1 : 0])} ${value}`;
}

/** Compares two positions, as a sort function does; a shorter one equals every position of its group. */
export function comparePositions(order: readonly SortKey[], a: Position, b: Position): number {
  for (const [index, { isDescending }] of order.entries()) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined) return 0;
    const difference = compareValues(left, right);
    if (difference !== 0) return isDescending ? -difference : difference;
  }
  return 0;
}

/** True if a position is after `from`, which may be the start of a group. */
export function isAfter(order: readonly SortKey[], position: Position, from: Position): boolean {
  const difference = comparePositions(order, position, from);
  return difference > 0 || (difference === 0 && from.length < order.length);
}

/** Compares values as SQLite does: texts by their bytes. */
function compareValues(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  if (left === right) return 0;
  // UTF-16 code units order like bytes, except surrogates and the characters above them.
  if (HIGH.test(left) || HIGH.test(right)) {
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  return left < right ? -1 : 1;
}

const HIGH = /[\ud800-\uffff]/;

/** A part of an order: after `from`, up to and including `to`. */
export interface Span {
  from?: Position | undefined;
  to?: Position | undefined;
}

/** The filters on the first key: the start and end of a walk by it. */
export interface Ends {
  start: ItemFilter | undefined;
  end: ItemFilter | undefined;
}

/** The filters that bound a walk by `key`; all others are checked for each row. */
export function endsOf(filters: readonly ItemFilter[], key: SortKey): Ends {
  const find = (...ops: FilterOp[]) =>
    filters.find(({ field, op }) => field === key.field && ops.includes(op));
  const lower = find('eq', 'gte', 'gt');
  const upper = find('eq', 'lte', 'lt');
  return key.isDescending ? { start: upper, end: lower } : { start: lower, end: upper };
}

/**
 * The index ranges of a span of a stream, in order. SQLite seeks only by the first column of a row
 * value, so rows that tie with an end of the span are separate ranges.
 */
export function rangesOf(stream: Stream, order: readonly SortKey[], ends: Ends, span: Span): SQL[] {
  const [key, id] = order as [SortKey, SortKey | undefined];
  return id
    ? rangesByKey(stream, key, id, ends, span)
    : [between(stream, key, ends, span, 'notAfter')];
}

/** The index ranges of a walk ordered by one key, then id. */
function rangesByKey({ at }: Stream, key: SortKey, id: SortKey, ends: Ends, span: Span): SQL[] {
  const { from, to } = span;
  const tie = (value: Position | undefined, ...ids: (SQL | undefined)[]) =>
    value ? [all(sql`${at(key.field)} = ${value[0]}`, ...ids)] : [];
  const afterFrom = from && compareKey('after', id, at, from[1]);
  const upToTo = to && compareKey('notAfter', id, at, to[1]);
  if (from && to && from[0] === to[0]) return tie(from, afterFrom, upToTo);
  return [...tie(from, afterFrom), between({ at }, key, ends, span, 'before'), ...tie(to, upToTo)];
}

/** A range of the first key. The ends of the span replace the filters. */
function between(
  { at }: Pick<Stream, 'at'>,
  key: SortKey,
  { start, end }: Ends,
  { from, to }: Span,
  last: 'before' | 'notAfter',
): SQL {
  return all(
    from
      ? compareKey('after', key, at, from[0])
      : start && compareKey(edge('after', start), key, at, value(start)),
    to
      ? compareKey(last, key, at, to[0])
      : end && compareKey(edge('before', end), key, at, value(end)),
  );
}

/** The comparison for the end of a filter: exclusive for gt and lt, else inclusive. */
function edge(
  side: 'after' | 'before',
  { op }: ItemFilter,
): 'after' | 'before' | 'notAfter' | 'notBefore' {
  if (op === 'gt' || op === 'lt') return side;
  return side === 'after' ? 'notBefore' : 'notAfter';
}

function value({ values }: ItemFilter): string | number {
  return values[0] as string | number;
}

function all(...conditions: (SQL | undefined)[]): SQL {
  return and(...conditions) ?? sql`true`;
}
