import { and, asc, desc, eq, sql } from 'drizzle-orm';
import type { Cache } from '../../core/cache.ts';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { Viewer, Viewers } from '../../core/viewers.ts';
import { notFoundOf } from '../resources/access.ts';
import { rowsTag } from '../resources/views/popular.ts';
import type { RowViews } from '../resources/views/views.ts';
import { placeAfter } from '../skip.ts';
import {
  COUNTED_ITEMS,
  isOwned,
  items,
  itemViews,
  listedItemById,
  listedItems,
  type PlainItem,
  plainColumns,
} from './rows.ts';

export interface PlainItemsDeps {
  db: Db;
  cache: Cache;
  turns: FairTurns;
  views: RowViews;
  /** Decides whether another view of the same viewer is counted. */
  viewers: Viewers;
  popularTtlMs: number;
}

/** Public items as v1 shows them. */
export function createPlainItems(deps: PlainItemsDeps) {
  const { db, cache, turns, views, viewers, popularTtlMs } = deps;
  return {
    /** A page of the public items, by id. Throws overloaded. */
    list: async (skip: number, limit: number): Promise<PlainItem[]> => {
      const place = await placeAfter(db.read, turns.paceFor('items'), COUNTED_ITEMS, skip);
      return place ? views.withPending(() => listedItems(db.read, { ...place, limit })) : [];
    },

    /** A public item, with one more view unless `viewer` viewed it recently. Throws not_found. */
    view: async (id: number, viewer?: Viewer): Promise<PlainItem> => {
      // Read together with the row: a flush in between would be counted twice or not at all.
      const pending = views.pending(id);
      const [item] = await listedItemById(db.read, { id });
      if (!item) throw notFoundOf({ one: 'item' }, id);
      item.views += pending;
      if (viewer && !viewers.isNew(id, viewer)) return item;
      item.views++;
      await views.add(id);
      return item;
    },

    /** The most viewed items of all time, ties by id; items without views are last. Cached. */
    listPopular: cache.wrap(
      {
        name: 'popular_items',
        ttlMs: popularTtlMs,
        staleMs: popularTtlMs,
        tags: [rowsTag({ name: 'items' })],
      },
      async (limit: number): Promise<PlainItem[]> => {
        await views.flush();
        return mostViewed(db.read, { limit });
      },
    ),
  };
}

const mostViewed = prepare<{ limit: number }, PlainItem[]>((orm) =>
  orm
    .select(plainColumns)
    .from(itemViews)
    .innerJoin(items, eq(items.id, itemViews.row_id))
    // Written as in the partial index, so that SQLite uses it.
    .where(and(sql`${itemViews.is_listed} = 1`, isOwned))
    .orderBy(desc(itemViews.views), asc(itemViews.row_id))
    .limit(sql.placeholder('limit')),
);
