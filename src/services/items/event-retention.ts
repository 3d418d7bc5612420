import { lte } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { itemEvents } from '../../models/index.ts';
import { DAY_MS, MINUTE_MS } from '../../utils/time/units.ts';
import type { Job } from '../jobs.ts';

/** How long a listener can resume. */
const KEPT_MS = DAY_MS;
const EVERY_MS = 10 * MINUTE_MS;
/** Events in one transaction. */
const BATCH = 1000;

/** Forgets events of more than 24 hours ago, but the last: it says where the ids have come to. */
export const createEventRetention = ({ db, now }: { db: Db; now(): Date }): Job => ({
  name: 'event retention',
  everyMs: EVERY_MS,
  run: () => {
    const until = new Date(now().getTime() - KEPT_MS).toISOString();
    const { id, at } = itemEvents;
    return db.write(async ({ orm }) => {
      const oldest = await orm
        .select({ id, at })
        .from(itemEvents)
        .orderBy(id)
        .limit(BATCH + 1);
      // Without a gap, whatever the clock did: who resumes after an id misses nothing after it.
      const firstKept = oldest.findIndex((event, index) => event.at > until || !oldest[index + 1]);
      const last = oldest[firstKept - 1];
      if (!last) return false;
      await orm.delete(itemEvents).where(lte(id, last.id));
      return firstKept === BATCH;
    });
  },
});
