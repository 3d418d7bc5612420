import type { Actor, AnyActor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { Viewer, Viewers } from '../../core/viewers.ts';
import type { OnWritten } from '../idempotency.ts';
import { placeAfter } from '../skip.ts';
import { getBinned, getVisible, itemNotFound, versionFor } from './access.ts';
import type { ChangeOptions, ItemChanges } from './changes.ts';
import { eraseItem } from './purge.ts';
import {
  COUNTED_ITEMS,
  type Item,
  type ItemFields,
  listedItemById,
  listedItems,
  type PlainItem,
} from './rows.ts';
import type { ItemViews } from './views.ts';

export interface ItemsDeps {
  db: Db;
  turns: FairTurns;
  views: ItemViews;
  changes: ItemChanges;
  /** Decides whether v1 counts another view of the same viewer. */
  viewers: Viewers;
}

/** Reads and changes items, one at a time, and the list of v1. */
export function createItems({ db, turns, views, changes, viewers }: ItemsDeps) {
  const write = (work: (tx: Tx) => Promise<Item>): Promise<Item> =>
    db.write(async (tx) => {
      const item = await work(tx);
      views.addPendingAfter(tx, item);
      return item;
    });
  return {
    /** A page of the public items, by id. Throws overloaded. */
    list: async (skip: number, limit: number): Promise<PlainItem[]> => {
      const place = await placeAfter(db.read, turns.paceFor('items'), COUNTED_ITEMS, skip);
      return place ? views.withPending(() => listedItems(db.read, { ...place, limit })) : [];
    },

    /**
     * A public item, with one more view unless `viewer` viewed it recently. Throws not_found.
     */
    view: async (id: number, viewer?: Viewer): Promise<PlainItem> => {
      // Read together with the row: a flush in between would be counted twice or not at all.
      const pending = views.pending(id);
      const [item] = await listedItemById(db.read, { id });
      if (!item) throw itemNotFound(id);
      item.views += pending;
      if (viewer && !viewers.isNew(id, viewer)) return item;
      item.views++;
      await views.add(id);
      return item;
    },

    /** The version of an item, if the caller may see it; reads nothing else. Throws not_found. */
    getVersion: (actor: AnyActor, id: number): Promise<number> => versionFor(db.read, actor, id),

    /** The item, if the caller may see it. Throws not_found. */
    get: (actor: AnyActor, id: number): Promise<Item> =>
      views.withPending(() => getVisible(db.read, actor, id)),

    /** Creates an item. Throws quota_exceeded, storage_full. */
    create: (actor: Actor, fields: ItemFields, onWritten?: OnWritten<Item>): Promise<Item> =>
      db.write(async (tx) => {
        const item = await changes.create(tx, actor, fields);
        await onWritten?.(tx, item);
        return item;
      }),

    /** Changes the given fields of an item. Throws not_found, forbidden, version_mismatch. */
    update: (
      actor: Actor,
      id: number,
      fields: Partial<ItemFields>,
      options: ChangeOptions = {},
    ): Promise<Item> => write((tx) => changes.update(tx, actor, id, fields, options)),

    /** Moves an item to the bin and returns it. Throws like `update`. */
    remove: (actor: Actor, id: number, options: ChangeOptions = {}): Promise<Item> =>
      write((tx) => changes.remove(tx, actor, id, options)),

    /** Restores an item from the bin. Throws not_found. */
    restore: (actor: Actor, id: number, onWritten?: OnWritten<Item>): Promise<Item> =>
      write(async (tx) => {
        const item = await changes.restore(tx, actor, id);
        await onWritten?.(tx, item);
        return item;
      }),

    /** Deletes the caller's own item in the bin for good, in short transactions. Throws not_found. */
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
