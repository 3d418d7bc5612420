import type { Actor, AnyActor } from '../../core/actor.ts';
import type { Cache } from '../../core/cache.ts';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { Viewer, Viewers } from '../../core/viewers.ts';
import type { OnWritten } from '../idempotency.ts';
import { placeAfter } from '../skip.ts';
import { getBinned, getVisible, itemNotFound, versionFor } from './access.ts';
import { ITEMS_TAG } from './announcements.ts';
import type { ChangeOptions, ItemChanges } from './changes.ts';
import { eraseItem } from './erasure.ts';
import {
  COUNTED_ITEMS,
  type Item,
  type ItemFields,
  listedItemById,
  listedItems,
  type PlainItem,
  popularItems,
} from './rows.ts';
import type { ItemViews } from './views.ts';

export interface ItemsDeps {
  db: Db;
  turns: FairTurns;
  cache: Cache;
  views: ItemViews;
  changes: ItemChanges;
  /** Whose views v1 does not count again. */
  viewers: Viewers;
  popularTtlMs: number;
}

/** What items can do. */
export const createItems = (deps: ItemsDeps) => ({ ...itemReads(deps), ...itemWrites(deps) });

function itemReads({ db, turns, cache, views, viewers, popularTtlMs }: ItemsDeps) {
  return {
    /** A page of what anyone may see, by id. Throws overloaded. */
    list: async (skip: number, limit: number): Promise<PlainItem[]> => {
      const place = await placeAfter(db.read, turns.paceFor('items'), COUNTED_ITEMS, skip);
      return place ? views.withPending(() => listedItems(db.read, { ...place, limit })) : [];
    },

    /** The most viewed items, ties by id; kept for the popular ttl, and as long again if stale. */
    listPopular: cache.wrap(
      { name: 'popular_items', ttlMs: popularTtlMs, staleMs: popularTtlMs, tags: [ITEMS_TAG] },
      async (limit: number): Promise<PlainItem[]> => {
        await views.flush();
        return popularItems(db.read, { limit });
      },
    ),

    /**
     * An item that anyone may see, with one more view unless `viewer` had one lately. Throws
     * not_found.
     */
    view: async (id: number, viewer?: Viewer): Promise<PlainItem> => {
      // Read in one step with the row: a flush that commits meanwhile would be seen half.
      const pending = views.pending(id);
      const [item] = await listedItemById(db.read, { id });
      if (!item) throw itemNotFound(id);
      item.views += pending;
      if (viewer && !viewers.isNew(id, viewer)) return item;
      item.views++;
      await views.add(id);
      return item;
    },

    /** The version of an item that the caller may see; reads nothing else. Throws not_found. */
    getVersion: (actor: AnyActor, id: number): Promise<number> => versionFor(db.read, actor, id),

    /** The item, if the caller may see it. Throws not_found. */
    get: (actor: AnyActor, id: number): Promise<Item> =>
      views.withPending(() => getVisible(db.read, actor, id)),
  };
}

function itemWrites({ db, views, changes }: ItemsDeps) {
  const write = (work: (tx: Tx) => Promise<Item>): Promise<Item> =>
    db.write(async (tx) => {
      const item = await work(tx);
      views.addPendingAfter(tx, item);
      return item;
    });
  return {
    create: (actor: Actor, fields: ItemFields, onWritten?: OnWritten<Item>): Promise<Item> =>
      db.write(async (tx) => {
        const item = await changes.create(tx, actor, fields);
        await onWritten?.(tx, item);
        return item;
      }),

    /** Changes the given fields of an own item; an admin's are all. Throws not_found, forbidden, version_mismatch. */
    update: (
      actor: Actor,
      id: number,
      fields: Partial<ItemFields>,
      options: ChangeOptions = {},
    ): Promise<Item> => write((tx) => changes.update(tx, actor, id, fields, options)),

    /** Puts an own item into the bin and gives what it was. Throws as `update`. */
    remove: (actor: Actor, id: number, options: ChangeOptions = {}): Promise<Item> =>
      write((tx) => changes.remove(tx, actor, id, options)),

    /** Takes an own item out of the bin. Throws not_found. */
    restore: (actor: Actor, id: number, onWritten?: OnWritten<Item>): Promise<Item> =>
      write(async (tx) => {
        const item = await changes.restore(tx, actor, id);
        await onWritten?.(tx, item);
        return item;
      }),

    /** Deletes an own item that is in the bin for good, in short transactions. Throws not_found. */
    erase: async (actor: Actor, id: number): Promise<void> => {
      const eraseSome = async (tx: Tx): Promise<boolean> => {
        const item = await getBinned(tx, actor, id);
        if (item.owner_id !== actor.id) throw itemNotFound(id);
        return eraseItem(tx, item);
      };
      while (!(await db.write(eraseSome)));
    },
  };
}
