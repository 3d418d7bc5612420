import { and, asc, type Column, desc, eq, gt, gte, lt, lte, type SQL } from 'drizzle-orm';
import { type User, users } from '../../models/users.ts';
import type { Position, Shape } from '../../utils/page.ts';

type SortField = 'id' | 'created_at' | 'username';
export type UserSort = SortField | `-${SortField}`;

/** The position of an account in a sort: its key, and its id if keys may be equal. */
export function positionOf(
  sort: UserSort,
  { id, created_at, username_key }: Pick<User, 'id' | 'created_at' | 'username_key'>,
): Position {
  return { id: [id], created_at: [created_at, id], username: [username_key] }[fieldOf(sort)];
}

export function shapeOf(sort: UserSort): Shape {
  const shapes = {
    id: ['number'],
    created_at: ['string', 'number'],
    username: ['string'],
  } as const;
  return shapes[fieldOf(sort)];
}

export function orderOf(sort: UserSort): SQL[] {
  const direction = sort.startsWith('-') ? desc : asc;
  const column = columnOf(sort);
  return shapeOf(sort).length === 1
    ? [direction(column)]
    : [direction(column), direction(users.id)];
}

/**
 * The ranges of the sort's index after `from`, up to and including `to`, in order. Rows with the
 * same key as an end are a separate range: SQLite seeks only by the first column of a row value.
 */
export function segmentsOf(
  sort: UserSort,
  from: Position | undefined,
  to: Position | undefined,
): (SQL | undefined)[] {
  const isDescending = sort.startsWith('-');
  const [after, upTo] = isDescending ? [lt, gte] : [gt, lte];
  const before = isDescending ? gt : lt;
  const column = columnOf(sort);
  if (shapeOf(sort).length === 1) {
    return [and(from && after(column, from[0]), to && upTo(column, to[0]))];
  }
  const afterFrom = from && after(users.id, from[1] as number);
  const upToTo = to && upTo(users.id, to[1] as number);
  if (from && to && from[0] === to[0]) return [and(eq(column, from[0]), afterFrom, upToTo)];
  return [
    ...(from ? [and(eq(column, from[0]), afterFrom)] : []),
    and(from && after(column, from[0]), to && before(column, to[0])),
    ...(to ? [and(eq(column, to[0]), upToTo)] : []),
  ];
}

function fieldOf(sort: UserSort): SortField {
  return sort.replace('-', '') as SortField;
}

function columnOf(sort: UserSort): Column {
  return { id: users.id, created_at: users.created_at, username: users.username_key }[
    fieldOf(sort)
  ];
}
