import { eq, type SQL, sql } from 'drizzle-orm';
import type { Db, Session } from '../core/db.ts';
import { fixed } from '../core/dynamic-query.ts';
import { AppError } from '../core/exceptions.ts';
import { prepare } from '../core/query.ts';
import { items, type User, users } from '../models/index.ts';
import { decodeCursor, encodeCursor, type Position } from '../utils/cursor.ts';
import { countItems } from './item-count.ts';
import {
  BOUNDS,
  type Bounds,
  ITEM_COLUMNS,
  type ItemColumn,
  type ItemListQuery,
  type ItemPage,
  type ListedRow,
  type SortKey,
} from './item-list-query.ts';
import { defaultSort, isGrouped, orderOf, shapeOf } from './item-order.ts';
import { isOwned } from './item-rows.ts';
import { endsOf } from './item-segments.ts';
import { streamsOf } from './item-sets.ts';
import type { ItemViews } from './item-views.ts';
import { readPage, type Walk } from './item-walk.ts';
import { firstRemoved } from './removed-accounts.ts';
import type { Caller } from './users.ts';

export interface ItemListDeps {
  db: Db;
  views: ItemViews;
  bounds?: Bounds;
}

export const createItemList = ({ db, views, bounds = BOUNDS }: ItemListDeps) => ({
  /**
   * A page of the items that the caller may see, or of the caller's bin. Throws invalid_cursor for
   * a cursor of another list, and invalid_query for several keys where too many share the first.
   */
  list: async (caller: Caller | undefined, query: ItemListQuery): Promise<ItemPage> => {
    const { q, sort = defaultSort(q), limit, cursor } = query;
    const order = orderOf(sort);
    const walk = await walkOf(db.read, bounds, caller, query, order);
    const scope = JSON.stringify(['items', caller?.id, query.bin, q, order, query.filters]);
    const from = cursor === undefined ? undefined : positionIn(scope, order, cursor);
    const { rows, next } = await readPage(walk, from, limit);
    for (const row of rows) withPending(views, row);
    const next_cursor = next ? encodeCursor(scope, next) : null;
    const page = { next_cursor, has_more: next !== undefined, limit };
    return { data: rows, page, ...(query.count && (await countItems(walk))) };
  },

  /** The name of an item's owner. */
  usernameOf: async (id: number): Promise<string | undefined> =>
    (await usernameById(db.read, { id }))[0]?.username,
});

const usernameById = prepare<{ id: number }, Pick<User, 'username'>[]>((orm) =>
  orm
    .select({ username: users.username })
    .from(users)
    .where(eq(users.id, sql.placeholder('id'))),
);

const isOwnedSql = fixed(sql`${isOwned}`);

/** What every public row must also fulfil while the rows of deleted accounts are being erased. */
async function hiddenNow(session: Session): Promise<SQL[]> {
  const [removed] = await firstRemoved(session, {});
  return removed?.id ? [isOwnedSql] : [];
}

async function walkOf(
  session: Session,
  bounds: Bounds,
  caller: Caller | undefined,
  query: ItemListQuery,
  order: SortKey[],
): Promise<Walk> {
  const { filters, bin, columns } = query;
  const ends = endsOf(filters, order[0] as SortKey);
  const residual = filters.filter((it) => it !== ends.start && it !== ends.end);
  const hidden = await hiddenNow(session);
  const asked = { filters, bin, caller, residual, hidden, bounds };
  const streams = await streamsOf(session, query, order, asked);
  return { session, bounds, streams, order, ends, ...selectionOf(columns, order) };
}

/** What is asked for, and what a position is made of. */
function selectionOf(
  columns: readonly ItemColumn[],
  order: readonly SortKey[],
): Pick<Walk, 'select' | 'lookUp'> {
  const sorts = order.map(({ field }) => field).filter((field) => field !== 'relevance');
  // As one text: the names are this file's own, and each part of a query costs as much as a row.
  const names = [...new Set(['id' as const, ...columns, ...sorts])].map(
    (name) => `${SOURCES[name]} as "${name}"`,
  );
  const hasOwner = columns.includes('owner_username');
  return {
    select: sql.raw(names.join(', ')),
    lookUp: hasOwner ? sql`cross join ${users} on ${users.id} = ${items.owner_id}` : sql``,
  };
}

const SOURCES = Object.fromEntries(
  ['id', ...ITEM_COLUMNS].map((name) => [name, `"items"."${name}"`]),
) as Record<ItemColumn | 'id', string>;
SOURCES.views = '"item_views"."views"';
SOURCES.owner_username = '"users"."username"';

function positionIn(scope: string, order: SortKey[], cursor: string): Position {
  const shape = shapeOf(order);
  const position =
    decodeCursor(scope, cursor, shape) ??
    (isGrouped(order) ? decodeCursor(scope, cursor, shape.slice(0, 1)) : undefined);
  if (position) return position;
  throw new AppError(
    'invalid_cursor',
    'The cursor is not one of this list, sort, filter and caller',
  );
}

function withPending(views: ItemViews, row: ListedRow): void {
  if (typeof row.views === 'number') row.views += views.pending(row.id);
}
