import { desc, eq, gt, lt, sql } from 'drizzle-orm';
import type { Db } from '../../../core/db/db.ts';
import { addPending, type FullText } from '../../../core/db/full-text.ts';
import { prepare, rowsOf } from '../../../core/db/query.ts';
import type { Tx } from '../../../core/db/writer.ts';
import { type Job, MAX_RUN_MS } from '../../../core/jobs/recurring.ts';
import { searchReindex } from '../../../models/search-reindex.ts';
import { timeBudget } from '../../../utils/time/time-budget.ts';
import { HOUR_MS } from '../../../utils/time/units.ts';
import { type ItemRow, inNfc, items } from '../../items/rows.ts';

const EVERY_MS = HOUR_MS;
/** Items of one read: at most half a megabyte of text. */
const ROWS = 20;

type Texts = Pick<ItemRow, 'id' | 'title' | 'description' | 'tags'>;

const positionOf = prepare<Record<string, never>, { below_id: number }[]>((orm) =>
  orm.select().from(searchReindex).where(gt(searchReindex.below_id, 0)),
);

const itemsBelow = prepare<{ below_id: number }, Texts[]>((orm) =>
  orm
    .select({
      id: items.id,
      title: items.title,
      description: items.description,
      tags: items.tags,
    })
    .from(items)
    .where(lt(items.id, sql.placeholder('below_id')))
    .orderBy(desc(items.id))
    .limit(ROWS),
);

/**
 * A recurring job for databases of earlier versions: converts the texts of the items below the
 * position in search_reindex to NFC and has them indexed again, newest first. A migration that
 * changes the index sets the position. The version of these items does not change.
 */
export const createSearchReindex = ({ db, index }: { db: Db; index: FullText }): Job => ({
  name: 'search index',
  everyMs: EVERY_MS,
  run: async () => {
    if ((await positionOf(db.read, {})).length === 0) return false;
    return db.write((tx) => reindexSome(tx, index));
  },
});

/** Returns true when more is left. */
async function reindexSome(tx: Tx, index: FullText): Promise<boolean> {
  const hasTime = timeBudget(MAX_RUN_MS);
  const [position] = await positionOf(tx, {});
  if (!position) return false;
  for (let { below_id } = position; hasTime(); ) {
    const rows = await itemsBelow(tx, { below_id });
    for (const row of rows) await convert(tx, row);
    await rowsOf(
      tx,
      addPending(
        index,
        rows.map(({ id }) => id),
      ),
    );
    below_id = rows.at(-1)?.id ?? 0;
    if (rows.length === ROWS) await tx.orm.update(searchReindex).set({ below_id });
    else {
      await tx.orm.delete(searchReindex);
      return false;
    }
  }
  return true;
}

async function convert(tx: Tx, { id, ...texts }: Texts): Promise<void> {
  const set = inNfc(texts);
  const isChanged = Object.entries(set).some(([name, value]) => Reflect.get(texts, name) !== value);
  // Triggers update the tags and the account's usage.
  if (isChanged) await tx.orm.update(items).set(set).where(eq(items.id, id));
}
