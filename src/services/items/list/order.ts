import { type SQL, sql } from 'drizzle-orm';
import type { Position, Shape } from '../../../utils/page.ts';
import type { SortField, SortKey } from './query.ts';

/** SQL of what a stream sorts by. */
export type Expressions = (field: SortField) => SQL;

/** The newest first; with words, what fits them best. */
export function defaultSort(q: string | undefined): readonly SortKey[] {
  return [
    q === undefined
      ? { field: 'id', isDescending: true }
      : { field: 'relevance', isDescending: false },
  ];
}

/**
 * The keys of a total order: `sort` up to its id, or with the id as the last tie-breaker in the
 * direction of the last key. Beside views and relevance it is in the other one, so that the most
 * viewed come lowest id first, as in v1, and the most relevant newest first.
 */
export function orderOf(sort: readonly SortKey[]): SortKey[] {
  const at = sort.findIndex(({ field }) => field === 'id');
  if (at >= 0) return sort.slice(0, at + 1);
  const last = sort.at(-1) as SortKey;
  return [...sort, { field: 'id', isDescending: naturalIdDirection(last) }];
}

/** Whether no index holds this order: several keys, or an id in the other direction. */
export function isGrouped(order: readonly SortKey[]): boolean {
  const [first, second] = order as [SortKey, SortKey | undefined];
  if (!second) return false;
  return order.length > 2 || second.isDescending !== naturalIdDirection(first);
}

function naturalIdDirection({ field, isDescending }: SortKey): boolean {
  return field === 'views' || field === 'relevance' ? !isDescending : isDescending;
}

/** The types of a position in the order. */
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

/** SQL for where `key` stands beside `value` in its direction. */
export function stands(
  where: keyof typeof OPERATORS,
  { field, isDescending }: SortKey,
  at: Expressions,
  value: string | number | undefined,
): SQL {
  return sql`${at(field)} ${sql.raw(OPERATORS[where][isDescending ? 1 : 0])} ${value}`;
}

/** Which of two positions comes first; a shorter one is where its group starts. */
export function comparePositions(order: readonly SortKey[], a: Position, b: Position): number {
  for (const [index, { isDescending }] of order.entries()) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined) return 0;
    const difference = compareValues(left, right);
    if (difference !== 0) return isDescending ? -difference : difference;
  }
  return 0;
}

/** Whether a position comes after `from`, which may be where a group starts. */
export function isAfter(order: readonly SortKey[], position: Position, from: Position): boolean {
  const difference = comparePositions(order, position, from);
  return difference > 0 || (difference === 0 && from.length < order.length);
}

/** As SQLite does: texts by their bytes. */
function compareValues(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  if (left === right) return 0;
  // Code units compare as bytes do, but for what lies beside or above surrogates.
  if (HIGH.test(left) || HIGH.test(right)) {
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  return left < right ? -1 : 1;
}

const HIGH = /[\ud800-\uffff]/;
