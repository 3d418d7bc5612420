import { sql } from 'drizzle-orm';
import type { Db } from '../../../core/db/db.ts';
import { prepareRows } from '../../../core/db/query.ts';
import type { Log } from '../../../core/log.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { isOwned, tablesOf } from '../statements.ts';
import type { PopularEvent } from './popular.ts';

export interface PopularWatchDeps {
  db: Db;
  log: Log;
  hub: { publish(event: PopularEvent): void; size(): number };
}

export type PopularWatch = ReturnType<typeof createPopularWatch>;

const WATCH_MS = 2000;
const WATCHED = 10;

/** Publishes an event when the ten most viewed rows change; polls only while there are listeners. */
export function createPopularWatch(def: Definition, { db, log, hub }: PopularWatchDeps) {
  const popularIds = idsOf(def);
  let timer: ReturnType<typeof setInterval> | undefined;
  let known: string | undefined;

  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    known = undefined;
  };
  const compare = async () => {
    if (hub.size() === 0) return stop();
    const ids = (await popularIds(db.read, { limit: WATCHED })).map(({ id }) => id);
    const current = ids.join();
    // The first poll has nothing to compare with.
    if (known !== undefined && known !== current)
      hub.publish({ popular: { [`${def.one}_ids`]: ids } });
    known = current;
  };
  const tick = () => {
    compare().catch((error) => log.error('The most viewed rows could not be read.', { error }));
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

function idsOf(def: Definition) {
  const { rows, views, rowId } = tablesOf(def);
  return prepareRows<{ limit: number }, { id: number }>(
    sql`select ${views}.${rowId} as id from ${views} join ${rows} on ${rows}.id = ${views}.${rowId} where ${views}.is_listed = 1 and ${isOwned(def)} order by ${views}.views desc, ${views}.${rowId} limit ${sql.placeholder('limit')}`,
  );
}
