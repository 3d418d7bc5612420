import { and, asc, desc, eq, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Log } from '../../core/log.ts';
import { items, itemViews } from '../../models/index.ts';
import type { ItemEventsDeps, PopularNews } from './events.ts';
import { isOwned } from './rows.ts';

export interface PopularWatchDeps extends Pick<ItemEventsDeps, 'popularIds'> {
  log: Log;
  hub: { publish(news: PopularNews): void; size(): number };
}

const EVERY_MS = 2000;
const COUNT = 10;

const mostViewed = prepare<{ limit: number }, { item_id: number }[]>((orm) =>
  orm
    .select({ item_id: itemViews.item_id })
    .from(itemViews)
    .innerJoin(items, eq(items.id, itemViews.item_id))
    .where(and(sql`${itemViews.is_listed} = 1`, isOwned))
    .orderBy(desc(itemViews.views), asc(itemViews.item_id))
    .limit(sql.placeholder('limit')),
);

/** The ids of the ten most viewed items that anyone may see, as far as views are written. */
export async function popularIds(db: Db): Promise<number[]> {
  return (await mostViewed(db.read, { limit: COUNT })).map(({ item_id }) => item_id);
}

/** Tells listeners when other items are the most viewed; looks only while somebody listens. */
export function createPopularWatch({ log, hub, popularIds }: PopularWatchDeps) {
  let timer: ReturnType<typeof setInterval> | undefined;
  let known: string | undefined;

  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    known = undefined;
  };
  const judge = async () => {
    if (hub.size() === 0) return stop();
    const item_ids = await popularIds();
    const found = item_ids.join();
    // What it is when the first one comes is no change.
    if (known !== undefined && known !== found) hub.publish({ item_ids });
    known = found;
  };
  const tick = () => {
    judge().catch((error) => log.error('What is popular could not be judged.', { error }));
  };
  return {
    /** Begins to look, unless it does already. */
    start: (): void => {
      if (timer) return;
      timer = setInterval(tick, EVERY_MS);
      timer.unref();
      tick();
    },
    stop,
  };
}
