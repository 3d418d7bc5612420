import { asc, lte, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { items } from '../../models/index.ts';
import { timeBudget } from '../../utils/time/time-budget.ts';
import { DAY_MS, HOUR_MS } from '../../utils/time/units.ts';
import { type Job, MAX_RUN_MS } from '../jobs.ts';
import { eraseItem } from './erasure.ts';

/** How long a deleted item can be restored. */
const BIN_MS = 30 * DAY_MS;
const EVERY_MS = HOUR_MS;

const oldestBinned = prepare<{ until: string }, { id: number }[]>((orm) =>
  orm
    .select({ id: items.id })
    .from(items)
    .where(lte(items.deleted_at, sql.placeholder('until')))
    .orderBy(asc(items.deleted_at))
    .limit(1),
);

/** Deletes for good what has been in the bin for 30 days. */
export const createItemPurge = ({ db, now }: { db: Db; now(): Date }): Job => ({
  name: 'item purge',
  everyMs: EVERY_MS,
  run: async () => {
    const until = new Date(now().getTime() - BIN_MS).toISOString();
    if ((await oldestBinned(db.read, { until })).length === 0) return false;
    return db.write(async (tx) => {
      const hasTime = timeBudget(MAX_RUN_MS);
      do {
        const [item] = await oldestBinned(tx, { until });
        if (!item) return false;
        await eraseItem(tx, item);
      } while (hasTime());
      return true;
    });
  },
});
