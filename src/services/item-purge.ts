import { inArray, lte } from 'drizzle-orm';
import type { Db } from '../core/db.ts';
import { items } from '../models/index.ts';
import type { Chore } from './housekeeping.ts';

/** How long what was deleted can be restored. */
const BIN_MS = 30 * 86_400_000;
const EVERY_MS = 3_600_000;
/** Items in one transaction: with each go its tags, counters and history. */
const BATCH = 200;

/** Deletes for good what has been in the bin for 30 days. */
export const createItemPurge = ({ db, now }: { db: Db; now(): Date }): Chore => ({
  name: 'item purge',
  everyMs: EVERY_MS,
  run: () => {
    const until = new Date(now().getTime() - BIN_MS).toISOString();
    return db.write(async ({ orm }) => {
      const due = orm.select({ id: items.id }).from(items).where(lte(items.deleted_at, until));
      const gone = await orm
        .delete(items)
        .where(inArray(items.id, due.limit(BATCH)))
        .returning({ id: items.id });
      return gone.length === BATCH;
    });
  },
});
