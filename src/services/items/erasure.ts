import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import { prepare, type Query } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { itemRevisions, items } from '../../models/index.ts';

/** Revisions deleted in one step: the largest take 4 MB. */
const REVISIONS = 50;

type Erasable = { id: number };

/**
 * Deletes an item and everything that belongs to it for good, or only some of its revisions when
 * it has many: then returns false, and is to be called again.
 */
export async function eraseItem(tx: Tx, { id }: Erasable): Promise<boolean> {
  const deleted = await deleteRevisions(tx, { item_id: id });
  if (deleted.length === REVISIONS) return false;
  await deleteItem(tx, { id });
  return true;
}

const deleteRevisions: Query<{ item_id: number }, { version: number }[]> = prepare((orm) => {
  const { item_id, version } = itemRevisions;
  const isOwn = eq(item_id, sql.placeholder('item_id'));
  const oldest = orm
    .select({ version })
    .from(itemRevisions)
    .where(isOwn)
    .orderBy(asc(version))
    .limit(REVISIONS);
  return orm
    .delete(itemRevisions)
    .where(and(isOwn, inArray(version, oldest)))
    .returning({ version });
});

const deleteItem = prepare<Erasable, unknown>((orm) =>
  orm.delete(items).where(eq(items.id, sql.placeholder('id'))),
);
