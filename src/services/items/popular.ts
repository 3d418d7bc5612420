import { and, asc, type Column, desc, eq, type SQL, sql } from 'drizzle-orm';
import type { SelectedFields } from 'drizzle-orm/sqlite-core';
import type { Cache } from '../../core/cache.ts';
import type { Db } from '../../core/db/db.ts';
import { prepare, type Query } from '../../core/db/query.ts';
import type { Log } from '../../core/log.ts';
import { items, itemViews } from '../../models/items.ts';
import { type Item, isOwned, itemColumns, type PlainItem, plainColumns } from './rows.ts';
import type { ItemViews } from './views.ts';

/** Tag of every cached response that contains items. */
export const ITEMS_TAG = 'items';
/** Tag of the most viewed items, which a new item cannot change because it has no views. */
export const POPULAR_TAG = 'popular';

export type PopularWindow = 'day' | 'week' | 'month' | 'all';

export interface ItemPopularDeps {
  db: Db;
  cache: Cache;
  views: ItemViews;
  popularTtlMs: number;
}

/** The most viewed public items, ties by id. Cached for the popular TTL, then stale for as long again. */
export function createItemPopular({ db, cache, views, popularTtlMs }: ItemPopularDeps) {
  const times = { ttlMs: popularTtlMs, staleMs: popularTtlMs };
  return {
    /** The most viewed items of a window; items without a view in it are left out. */
    list: cache.wrap(
      { name: 'popular', ...times, tags: [POPULAR_TAG] },
      async (window: PopularWindow, limit: number): Promise<Item[]> => {
        // A failed flush is logged and retried; the views that are stored can be read.
        await views.flush().catch(() => {});
        return popularIn[window](db.read, { limit });
      },
    ),

    /** The most viewed items of all time, as v1 shows them; items without views are last. */
    listPlain: cache.wrap(
      { name: 'popular_items', ...times, tags: [ITEMS_TAG] },
      async (limit: number): Promise<PlainItem[]> => {
        await views.flush();
        return popularPlain(db.read, { limit });
      },
    ),
  };
}

/** The ids of the most viewed items changed. */
export interface PopularEvent {
  item_ids: number[];
}

export interface PopularWatchDeps {
  db: Db;
  log: Log;
  hub: { publish(event: PopularEvent): void; size(): number };
}

const WATCH_MS = 2000;
const WATCHED = 10;

/** Publishes an event when the ten most viewed items change; polls only while there are listeners. */
export function createPopularWatch({ db, log, hub }: PopularWatchDeps) {
  let timer: ReturnType<typeof setInterval> | undefined;
  let known: string | undefined;

  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    known = undefined;
  };
  const compare = async () => {
    if (hub.size() === 0) return stop();
    const item_ids = (await popularIds(db.read, { limit: WATCHED })).map(({ item_id }) => item_id);
    const current = item_ids.join();
    // The first poll has nothing to compare with.
    if (known !== undefined && known !== current) hub.publish({ item_ids });
    known = current;
  };
  const tick = () => {
    compare().catch((error) => log.error('The most viewed items could not be read.', { error }));
  };
  return {
    /** Starts polling, unless it has started already. */
    start: (): void => {
      if (timer) return;
      timer = setInterval(tick, WATCH_MS);
      timer.unref();
      tick();
    },
    stop,
  };
}

// Written as in the partial indexes, so that SQLite uses them.
const isListed = sql`${itemViews.is_listed} = 1`;

const popularIn: Record<PopularWindow, Query<{ limit: number }, Item[]>> = {
  day: viewedIn(itemViews.day),
  week: viewedIn(itemViews.week),
  month: viewedIn(itemViews.month),
  all: viewedIn(itemViews.views),
};

const popularPlain = mostViewed<PlainItem>(plainColumns, itemViews.views, isListed);

const popularIds = mostViewed<{ item_id: number }>(
  { item_id: itemViews.item_id },
  itemViews.views,
  isListed,
);

function viewedIn(counter: Column) {
  return mostViewed<Item>(itemColumns, counter, sql`${isListed} and ${counter} > 0`);
}

/** `columns` must select the properties of `Row`: Drizzle cannot infer them from a type parameter. */
function mostViewed<Row>(columns: SelectedFields, counter: Column, where: SQL) {
  return prepare<{ limit: number }, Row[]>((orm) => {
    const query = orm
      .select(columns)
      .from(itemViews)
      .innerJoin(items, eq(items.id, itemViews.item_id))
      .where(and(where, isOwned))
      .orderBy(desc(counter), asc(itemViews.item_id))
      .limit(sql.placeholder('limit'));
    return query as never;
  });
}
