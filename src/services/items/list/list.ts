import { eq, type SQL, sql } from 'drizzle-orm';
import type { AnyActor } from '../../../core/actor.ts';
import type { Db, Session } from '../../../core/db/db.ts';
import { fixed, prepare, rowsOf } from '../../../core/db/query.ts';
import type { FairTurns, Pace } from '../../../core/fair-turns.ts';
import { type Cursors, readCursor } from '../../../core/security/cursors.ts';
import { items, itemViews } from '../../../models/items.ts';
import { type User, users } from '../../../models/users.ts';
import type { Position } from '../../../utils/page.ts';
import { firstRemoved } from '../../accounts/removed.ts';
import { isOwned } from '../rows.ts';
import { countWords, readWords, type WordList } from '../search/word-list.ts';
import type { ItemViews } from '../views.ts';
import { readWalk } from './groups.ts';
import { firstOfPicks, positionsOfPicks } from './picks.ts';
import {
  BOUNDS,
  type Bounds,
  type ItemColumn,
  type ItemListQuery,
  type ItemPage,
  type ListedRow,
  type SortKey,
} from './query.ts';
import { defaultSort, endsOf, isGrouped, orderOf, shapeOf } from './ranges.ts';
import { type ListScope, type Sources, shownTo, sourcesOf } from './streams.ts';
import { countWalk, type Entry, type EntryPage, type Walk } from './walk.ts';

const ownedOnly = fixed(sql`${isOwned}`);

export interface ItemListDeps {
  db: Db;
  cursors: Cursors;
  views: ItemViews;
  turns: FairTurns;
  bounds?: Bounds;
}

export const createItemList = (deps: ItemListDeps) => ({
  /**
   * A page of the items that the caller may see, or of the caller's bin. Throws invalid_cursor for
   * a cursor of another list, invalid_query if too many items share the first of several keys, and
   * overloaded if too many long lists are being read.
   */
  list: (actor: AnyActor, query: ItemListQuery): Promise<ItemPage> => listItems(deps, actor, query),

  /** The username of an account. */
  usernameOf: async (id: number): Promise<string | undefined> =>
    (await usernameById(deps.db.read, { id }))[0]?.username,
});

const usernameById = prepare<{ id: number }, Pick<User, 'username'>[]>((orm) =>
  orm
    .select({ username: users.username })
    .from(users)
    .where(eq(users.id, sql.placeholder('id'))),
);

/** The state of a list while it is read. */
interface Reading {
  session: Session;
  bounds: Bounds;
  pace: Pace;
  order: SortKey[];
  scope: ListScope;
}

async function listItems(
  { db, cursors, views, turns, bounds = BOUNDS }: ItemListDeps,
  actor: AnyActor,
  query: ItemListQuery,
): Promise<ItemPage> {
  const { q, sort = defaultSort(q), limit, cursor, filters, bin } = query;
  const order = orderOf(sort);
  const cursorScope = JSON.stringify(['items', actor.id ?? undefined, bin, q, order, filters]);
  const shape = shapeOf(order);
  // A page sorted by several keys may start at a group, which only the first key identifies.
  const shapes = isGrouped(order) ? [shape, shape.slice(0, 1)] : [shape];
  const from = readCursor(cursors, cursorScope, cursor, ...shapes);
  const ends = endsOf(filters, order[0] as SortKey);
  const residual = filters.filter((it) => it !== ends.start && it !== ends.end);
  const pace = turns.paceFor(query.share ?? '');
  const scope = { actor, filters, bin, residual, hidden: await hiddenNow(db.read) };
  const reading = { session: db.read, bounds, pace, order, scope };
  const list = q === undefined ? await plainList(reading, query, ends) : wordList(reading, q);
  const { entries, next } = await list.read(from, limit);
  const data = await rowsOfEntries(reading, query.columns, entries);
  // Reading large rows takes long, and encoding the response does too.
  await pace();
  for (const row of data) withPending(views, row);
  const next_cursor = next ? cursors.seal(cursorScope, next) : null;
  const page = { next_cursor, has_more: next !== undefined, limit };
  return { data, page, ...(query.count && (await list.count())) };
}

interface List {
  read(from: Position | undefined, limit: number): Promise<EntryPage>;
  count(): Promise<{ total: number; total_is_capped: boolean }>;
}

function wordList({ scope, bounds, ...rest }: Reading, q: string): List {
  const list: WordList = { ...rest, scope, bounds, q };
  return {
    read: (from, limit) => readWords(list, from, limit),
    count: () => countWords(list),
  };
}

async function plainList(
  reading: Reading,
  { columns }: ItemListQuery,
  ends: Walk['ends'],
): Promise<List> {
  const { session, order, scope, bounds } = reading;
  const { streams, picks } = await sourcesOf(session, order, scope, bounds);
  const walk: Walk = { ...reading, streams, ends, ...selectionOf(columns, order) };
  return {
    read: async (from, limit) => {
      const picked = picks && (await firstOfPicks(reading, picks, from, limit + 1));
      if (streams.length > 0) return readWalk(walk, from, limit, picked);
      const positions = picked ?? [];
      const entries = positions.slice(0, limit).map((position) => ({ position }));
      return { entries, next: positions.length > limit ? entries.at(-1)?.position : undefined };
    },
    count: async () => {
      const walked = await countWalk(walk);
      const picked = await countPicks(reading, picks);
      const total_is_capped = walked.total_is_capped || picked.total_is_capped;
      return { total: walked.total + picked.total, total_is_capped };
    },
  };
}

async function countPicks(reading: Reading, picks: Sources['picks']) {
  let total = 0;
  if (picks) for await (const some of positionsOfPicks(reading, picks)) total += some.length;
  // The list of ids may have been cut at the bound.
  return { total, total_is_capped: (picks?.ids.length ?? 0) >= reading.bounds.most };
}

/** The rows of entries, in their order, without items that the caller may no longer see. */
async function rowsOfEntries(
  { session, order, scope }: Reading,
  columns: readonly ItemColumn[],
  entries: Entry[],
): Promise<ListedRow[]> {
  const rows = entries.flatMap(({ row }) => row ?? []);
  if (rows.length === entries.length) return rows;
  const { select, lookUp } = selectionOf(columns, order);
  const ids = JSON.stringify(entries.map(({ position }) => position.at(-1)));
  const found = await rowsOf<ListedRow>(
    session,
    sql`select ${select} from json_each(${ids}) as picked cross join ${items} on ${items.id} = picked.value cross join ${itemViews} on ${itemViews.item_id} = ${items.id} ${lookUp} where ${shownTo(scope)}`,
  );
  const byId = new Map(found.map((row) => [row.id, row]));
  return entries.flatMap(({ position, row }) => row ?? byId.get(position.at(-1) as number) ?? []);
}

/** The requested columns, and those of a position. */
function selectionOf(
  columns: readonly ItemColumn[],
  order: readonly SortKey[],
): Pick<Walk, 'select' | 'lookUp'> {
  const sorts = order.map(({ field }) => field).filter((field) => field !== 'relevance');
  // Raw SQL, because the names are constants and each part of a query costs as much as a row.
  const names = [...new Set(['id' as const, ...columns, ...sorts])].map(
    (name) => `${sourceOf(name)} as "${name}"`,
  );
  const hasOwner = columns.includes('owner_username');
  return {
    select: sql.raw(names.join(', ')),
    lookUp: hasOwner ? sql`cross join ${users} on ${users.id} = ${items.owner_id}` : sql``,
  };
}

function sourceOf(name: ItemColumn | 'id'): string {
  if (name === 'views') return '"item_views"."views"';
  return name === 'owner_username' ? '"users"."username"' : `"items"."${name}"`;
}

function withPending(views: ItemViews, row: ListedRow): void {
  if (typeof row.views === 'number') row.views += views.pending(row.id);
}

/** Conditions on public rows while the rows of deleted accounts are being erased; else none. */
async function hiddenNow(session: Session): Promise<SQL[]> {
  const [removed] = await firstRemoved(session, {});
  return removed?.id ? [ownedOnly] : [];
}
