import { and, asc, type Column, desc, eq, sql } from 'drizzle-orm';
import type { Cache } from '../../core/cache.ts';
import type { Db } from '../../core/db/db.ts';
import { prepare, type Query } from '../../core/db/query.ts';
import { items, itemViews } from '../../models/index.ts';
import { POPULAR_TAG } from './announcements.ts';
import { type Item, isOwned, itemColumns } from './rows.ts';
import type { ItemViews } from './views.ts';

export type PopularWindow = 'day' | 'week' | 'month' | 'all';

export interface ItemPopularDeps {
  db: Db;
  cache: Cache;
  views: ItemViews;
  popularTtlMs: number;
}

/** What is popular. */
export const createItemPopular = ({ db, cache, views, popularTtlMs }: ItemPopularDeps) => ({
  /**
   * The items with the most views in a window, ties by id; none that has no view in it. Kept for
   * the popular ttl, and as long again if stale.
   */
  list: cache.wrap(
    { name: 'popular', ttlMs: popularTtlMs, staleMs: popularTtlMs, tags: [POPULAR_TAG] },
    async (window: PopularWindow, limit: number): Promise<Item[]> => {
      // What cannot be written is logged and tried again; what is written can be read.
      await views.flush().catch(() => {});
      return popularIn[window](db.read, { limit });
    },
  ),
});

const popularIn: Record<PopularWindow, Query<{ limit: number }, Item[]>> = {
  day: popularBy(itemViews.day),
  week: popularBy(itemViews.week),
  month: popularBy(itemViews.month),
  all: popularBy(itemViews.views),
};

/** Walks the index of one counter; written as the index is, so that SQLite takes it. */
function popularBy(counter: Column) {
  return prepare<{ limit: number }, Item[]>((orm) =>
    orm
      .select(itemColumns)
      .from(itemViews)
      .innerJoin(items, eq(items.id, itemViews.item_id))
      .where(and(sql`${itemViews.is_listed} = 1 and ${counter} > 0`, isOwned))
      .orderBy(desc(counter), asc(itemViews.item_id))
      .limit(sql.placeholder('limit')),
  );
}
