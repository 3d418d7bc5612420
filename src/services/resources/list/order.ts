import type { Position, Shape } from '../../../utils/page.ts';
import type { SortKey } from './query.ts';

/**
 * The keys of a total order: `sort` up to its id, or with the id as the last tie-breaker in the
 * direction of the last key. After views and relevance the id has the opposite direction: the most
 * viewed rows are listed lowest id first, and the most relevant ones newest first.
 */
export function orderOf(sort: readonly SortKey[]): SortKey[] {
  const at = sort.findIndex(({ field }) => field === 'id');
  if (at >= 0) return sort.slice(0, at + 1);
  return [...sort, idAfter(sort.at(-1) as SortKey)];
}

/** The part of an order that an index has: the first key, then the id. */
export function indexedPart([first]: readonly SortKey[]): SortKey[] {
  return first ? orderOf([first]) : [];
}

/** True if no index has this order: several keys, or an id in the other direction. */
export function isGrouped(order: readonly SortKey[]): boolean {
  const [first, second] = order as [SortKey, SortKey | undefined];
  if (!second) return false;
  return order.length > 2 || second.isDescending !== idAfter(first).isDescending;
}

function idAfter({ field, isDescending }: SortKey): SortKey {
  const isOpposite = field === 'views' || field === 'relevance';
  return { field: 'id', isDescending: isOpposite !== isDescending };
}

/**
 * The shapes of a cursor's position: all keys, only the first one for the start of a group, or none
 * for the start of the list.
 */
export function shapesOf(order: readonly SortKey[], isNumber: (field: string) => boolean): Shape[] {
  const shape = order.map(({ field }) => (isNumber(field) ? 'number' : 'string'));
  return [shape, ...(isGrouped(order) ? [shape.slice(0, 1)] : []), []];
}

/** Compares two positions, as a sort function does; a shorter one equals every position of its group. */
export function comparePositions(order: readonly SortKey[], a: Position, b: Position): number {
  for (let index = 0; index < order.length; index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined) return 0;
    const difference = compareValues(left, right);
    if (difference !== 0) return order[index]?.isDescending ? -difference : difference;
  }
  return 0;
}

/** True if a position is after `from`, which may be the start of a group or of the list. */
export function isAfter(order: readonly SortKey[], position: Position, from: Position): boolean {
  const difference = comparePositions(order, position, from);
  return difference > 0 || (difference === 0 && from.length < order.length);
}

/** Compares values as SQLite does: texts by their bytes. */
function compareValues(a: Position[number], b: Position[number]): number {
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
