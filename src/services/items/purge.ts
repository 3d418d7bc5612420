import { and, asc, eq, inArray, lte, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare, type Query } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { itemRevisions, items } from '../../models/items.ts';
import { DAY_MS, HOUR_MS } from '../../utils/time/units.ts';
import { type Job, runSteps } from '../jobs.ts';

/** The time for which a deleted item can be restored. */
const BIN_MS = 30 * DAY_MS;
const EVERY_MS = HOUR_MS;
/** Revisions deleted in one step: the largest take 4 MB. */
const REVISIONS = 50;

/** A recurring job: erases items that have been in the bin for 30 days. */
export const createItemPurge = ({ db, now }: { db: Db; now(): Date }): Job => ({
  name: 'item purge',
  everyMs: EVERY_MS,
  run: async () => {
    const until = new Date(now().getTime() - BIN_MS).toISOString();
    if ((await oldestBinned(db.read, { until })).length === 0) return false;
    return runSteps(db, async (tx) => {
      const [item] = await oldestBinned(tx, { until });
      if (item) await eraseItem(tx, item);
      return item !== undefined;
    });
  },
});

/**
 * Deletes an item and everything that belongs to it. If the item has many revisions, deletes only
 * some of them and returns false: call it again.
 */
export async function eraseItem(tx: Tx, { id }: { id: number }): Promise<boolean> {
  const deleted = await deleteRevisions(tx, { item_id: id });
  if (deleted.length === REVISIONS) return false;
  await deleteItem(tx, { id });
  return true;
}

const oldestBinned = prepare<{ until: string }, { id: number }[]>((orm) =>
  orm
    .select({ id: items.id })
    .from(items)
    .where(lte(items.deleted_at, sql.placeholder('until')))
    .orderBy(asc(items.deleted_at))
    .limit(1),
);

const deleteRevisions: Query<{ item_id: number }, { version: number }[]> = prepare((orm) => {
  const { item_id, version } = itemRevisions;
  const isOfItem = eq(item_id, sql.placeholder('item_id'));
  const oldest = orm
    .select({ version })
    .from(itemRevisions)
    .where(isOfItem)
    .orderBy(asc(version))
    .limit(REVISIONS);
  return orm
    .delete(itemRevisions)
    .where(and(isOfItem, inArray(version, oldest)))
    .returning({ version });
});

const deleteItem = prepare<{ id: number }, unknown>((orm) =>
  orm.delete(items).where(eq(items.id, sql.placeholder('id'))),
);
