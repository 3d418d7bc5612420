import { asc, desc, eq, sql } from 'drizzle-orm';
import type { Cache } from '../core/cache.ts';
import type { Db, Session } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import { prepare } from '../core/query.ts';
import type { Tx } from '../core/writer.ts';
import { type Item, items, type NewItem } from '../models/index.ts';
import type { ItemViews } from './item-views.ts';
import type { Caller } from './users.ts';

export interface ItemsDeps {
  db: Db;
  cache: Cache;
  views: ItemViews;
  popularTtlMs: number;
  now(): Date;
}

/** What a caller decides of an item. */
export type ItemFields = Pick<NewItem, 'title'> & { description: string; url: string | null };

/** Tag of everything in the cache that was made from items. */
const TAG = 'items';

const itemById = prepare<{ id: number }, Item[]>((orm) =>
  orm
    .select()
    .from(items)
    .where(eq(items.id, sql.placeholder('id'))),
);
const itemPage = prepare<{ skip: number; limit: number }, Item[]>((orm) =>
  orm
    .select()
    .from(items)
    .orderBy(asc(items.id))
    .limit(sql.placeholder('limit'))
    .offset(sql.placeholder('skip')),
);
const popularItems = prepare<{ limit: number }, Item[]>((orm) =>
  orm
    .select()
    .from(items)
    .orderBy(desc(items.views), asc(items.id))
    .limit(sql.placeholder('limit')),
);
const insertItem = prepare<ItemFields & { owner_id: number; now: string }, Item[]>((orm) =>
  orm
    .insert(items)
    .values({
      title: sql.placeholder('title'),
      description: sql.placeholder('description'),
      url: sql.placeholder('url'),
      views: 0,
      owner_id: sql.placeholder('owner_id'),
      created_at: sql.placeholder('now'),
      updated_at: sql.placeholder('now'),
    })
    .returning(),
);

/** What items can do. */
export const createItems = (deps: ItemsDeps) => ({ ...itemReads(deps), ...itemWrites(deps) });

function itemReads({ db, cache, views, popularTtlMs }: ItemsDeps) {
  return {
    /** A page of items by id. */
    list: async (skip: number, limit: number): Promise<Item[]> => {
      const page = await itemPage(db.read, { skip, limit });
      for (const item of page) item.views += views.pending(item.id);
      return page;
    },

    /** The most viewed items, ties by id; kept for the popular ttl, and as long again if stale. */
    listPopular: cache.wrap(
      { name: 'popular_items', ttlMs: popularTtlMs, staleMs: popularTtlMs, tags: [TAG] },
      async (limit: number): Promise<Item[]> => {
        await views.flush();
        return popularItems(db.read, { limit });
      },
    ),

    /** The item, with one more view. Throws not_found. */
    view: async (id: number): Promise<Item> => {
      // Read in one step with the row: a flush that commits meanwhile would be seen half.
      const pending = views.pending(id);
      const item = await getItem(db.read, id);
      views.add(id);
      item.views += pending + 1;
      return item;
    },
  };
}

function itemWrites({ db, cache, views, now }: ItemsDeps) {
  const write = <T>(work: (tx: Tx) => Promise<T>) =>
    db.write((tx) => {
      tx.afterCommit(() => cache.invalidate(TAG));
      return work(tx);
    });
  const withPending = (item: Item) => ({ ...item, views: item.views + views.pending(item.id) });
  return {
    create: (owner: Caller, fields: ItemFields): Promise<Item> =>
      write(async (tx) => {
        const row = { ...fields, owner_id: owner.id, now: now().toISOString() };
        return (await insertItem(tx, row))[0] as Item;
      }),

    /** Replaces the fields of an own item; an admin's are all. Throws not_found, forbidden. */
    update: (caller: Caller, id: number, { title, description, url }: ItemFields): Promise<Item> =>
      write(async (tx) => {
        await getOwn(tx, caller, id);
        const set = { title, description, url, updated_at: now().toISOString() };
        const rows = await tx.orm.update(items).set(set).where(eq(items.id, id)).returning();
        return withPending(rows[0] as Item);
      }),

    /** Deletes an own item and gives what it was. Throws not_found, forbidden. */
    remove: (caller: Caller, id: number): Promise<Item> =>
      write(async (tx) => {
        const item = await getOwn(tx, caller, id);
        await tx.orm.delete(items).where(eq(items.id, id));
        return withPending(item);
      }),
  };
}

async function getItem(session: Session, id: number): Promise<Item> {
  const item = (await itemById(session, { id }))[0];
  if (!item) throw new AppError('not_found', `Item ${id} not found`);
  return item;
}

async function getOwn(session: Session, caller: Caller, id: number): Promise<Item> {
  const item = await getItem(session, id);
  if (item.owner_id !== caller.id && caller.role !== 'admin') {
    throw new AppError('forbidden', 'Not enough permissions');
  }
  return item;
}
