import { sql } from 'drizzle-orm';
import type { Cache } from '../../../core/cache.ts';
import type { Db } from '../../../core/db/db.ts';
import { prepareRows, type Query } from '../../../core/db/query.ts';
import type { Definition, Row } from '../../../resources/declare/definition.ts';
import { columnsOf, isOwned, tablesOf } from '../statements.ts';
import type { RowViews } from './views.ts';

export type PopularWindow = 'day' | 'week' | 'month' | 'all';

/** The tag of every cached response that contains rows of a resource. */
export const rowsTag = ({ name }: Pick<Definition, 'name'>): string => name;

/** The tag of its most viewed rows, which a new row cannot change because it has no views. */
export const popularTag = ({ name }: Pick<Definition, 'name'>): string => `${name}:popular`;

/** The ids of the most viewed rows, such as `item_ids`, after they changed. */
export interface PopularEvent {
  popular: Record<string, number[]>;
}

export interface PopularDeps {
  db: Db;
  cache: Cache;
  views: RowViews;
  popularTtlMs: number;
}

/** The most viewed listed rows, ties by id. Cached for the popular TTL, then stale for as long again. */
export function createPopular<R extends Row>(
  def: Definition,
  { db, cache, views, popularTtlMs }: PopularDeps,
) {
  const popularIn = popularQueries<R>(def);
  return {
    /** The most viewed rows of a window; rows without a view in it are left out. */
    list: cache.wrap(
      {
        name: popularTag(def),
        ttlMs: popularTtlMs,
        staleMs: popularTtlMs,
        tags: [popularTag(def)],
      },
      async (window: PopularWindow, limit: number): Promise<R[]> => {
        // A failed flush is logged and retried; the views that are stored can be read.
        await views.flush().catch(() => {});
        return popularIn[window](db.read, { limit });
      },
    ),
  };
}

type Limit = { limit: number };

function popularQueries<R extends Row>(def: Definition): Record<PopularWindow, Query<Limit, R[]>> {
  const { rows, views, rowId } = tablesOf(def);
  const mostViewed = (column: 'day' | 'week' | 'month' | 'views') => {
    const counter = sql`${views}.${sql.identifier(column)}`;
    // The conditions are written as in the partial indexes, so that SQLite uses them.
    return prepareRows<Limit, R>(
      sql`select ${columnsOf(def)} from ${views} join ${rows} on ${rows}.id = ${views}.${rowId} where ${views}.is_listed = 1 and ${counter} > 0 and ${isOwned(def)} order by ${counter} desc, ${views}.${rowId} limit ${sql.placeholder('limit')}`,
    );
  };
  return {
    day: mostViewed('day'),
    week: mostViewed('week'),
    month: mostViewed('month'),
    all: mostViewed('views'),
  };
}
