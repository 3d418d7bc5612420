import { and, type SQL, sql } from 'drizzle-orm';
import type { Position } from '../../../utils/page.ts';
import type { FilterOp } from '../../conditions.ts';
import { stands } from './order.ts';
import type { ItemFilter, SortKey } from './query.ts';
import type { Stream } from './streams.ts';

/** A part of the order of an index: what is after `from`, up to and with `to`. */
export interface Span {
  from?: Position | undefined;
  to?: Position | undefined;
}

/** What filters say of the first key: where a walk by it starts and ends. */
export interface Ends {
  start: ItemFilter | undefined;
  end: ItemFilter | undefined;
}

/** The filters that bound a walk by `key`; all others must look at each row. */
export function endsOf(filters: readonly ItemFilter[], key: SortKey): Ends {
  const find = (...ops: FilterOp[]) =>
    filters.find(({ field, op }) => field === key.field && ops.includes(op));
  const lower = find('eq', 'gte', 'gt');
  const upper = find('eq', 'lte', 'lt');
  return key.isDescending ? { start: upper, end: lower } : { start: lower, end: upper };
}

/**
 * The ranges of a stream's index that make up a span, in order. SQLite seeks by the first column
 * of a row value alone, so what ties with an end of the span is a range of its own.
 */
export function segmentsOf(
  stream: Stream,
  order: readonly SortKey[],
  ends: Ends,
  span: Span,
): SQL[] {
  const [key, id] = order as [SortKey, SortKey | undefined];
  return id
    ? rangesOf(stream, key, id, ends, span)
    : [between(stream, key, ends, span, 'notAfter')];
}

/** Of a walk by a key and its ids. */
function rangesOf({ at }: Stream, key: SortKey, id: SortKey, ends: Ends, span: Span): SQL[] {
  const { from, to } = span;
  const tie = (value: Position | undefined, ...ids: (SQL | undefined)[]) =>
    value ? [all(sql`${at(key.field)} = ${value[0]}`, ...ids)] : [];
  const afterFrom = from && stands('after', id, at, from[1]);
  const upToTo = to && stands('notAfter', id, at, to[1]);
  if (from && to && from[0] === to[0]) return tie(from, afterFrom, upToTo);
  return [...tie(from, afterFrom), between({ at }, key, ends, span, 'before'), ...tie(to, upToTo)];
}

/** A range of the first key. What the span says of an end makes a filter's word on it superfluous. */
function between(
  { at }: Pick<Stream, 'at'>,
  key: SortKey,
  { start, end }: Ends,
  { from, to }: Span,
  last: 'before' | 'notAfter',
): SQL {
  return all(
    from
      ? stands('after', key, at, from[0])
      : start && stands(edge('after', start), key, at, value(start)),
    to ? stands(last, key, at, to[0]) : end && stands(edge('before', end), key, at, value(end)),
  );
}

/** Whether a filter's own value is inside. */
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
