import { desc, eq, gt, lt, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare, rowsOf } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { type ItemRow, items, searchReindex } from '../../models/items.ts';
import { indexedWords } from '../../utils/text/words.ts';
import { timeBudget } from '../../utils/time/time-budget.ts';
import { HOUR_MS } from '../../utils/time/units.ts';
import { type Job, MAX_RUN_MS } from '../jobs.ts';
import { inNfc } from './rows.ts';

/** The columns whose changes cause a trigger to reindex an item. */
const INDEXED = ['title', 'description', 'tags', 'visibility', 'deleted_at'] as const;

type Texts = Pick<ItemRow, 'id' | 'title' | 'description' | 'tags'>;
type Indexed = Texts & Pick<ItemRow, 'visibility' | 'deleted_at'>;

/**
 * Indexes the words of an item after a change of `columns`. A trigger has already indexed the texts
 * of a public item; this replaces texts that SQLite splits into different words than Hutch.
 */
export async function indexWords(tx: Tx, item: Indexed, columns: object = item): Promise<void> {
  const isPublic = item.visibility === 'public' && item.deleted_at === null;
  if (isPublic && INDEXED.some((name) => name in columns)) await indexTexts(tx, item);
}

async function indexTexts(tx: Tx, { id, ...texts }: Texts): Promise<void> {
  const [title, description, tags] = [texts.title, texts.description, texts.tags].map(indexedWords);
  if (title === undefined && description === undefined && tags === undefined) return;
  const row = [title ?? texts.title, description ?? texts.description, tags ?? texts.tags];
  await rowsOf(tx, sql`delete from items_fts where rowid = ${id}`);
  await rowsOf(
    tx,
    sql`insert into items_fts (rowid, title, description, tags) values (${id}, ${sql.join(row, sql`, `)})`,
  );
}

const EVERY_MS = HOUR_MS;
/** Items of one read: at most half a megabyte of text. */
const ROWS = 20;

const positionOf = prepare<Record<string, never>, { below_id: number }[]>((orm) =>
  orm.select().from(searchReindex).where(gt(searchReindex.below_id, 0)),
);

const itemsBelow = prepare<{ below_id: number }, Indexed[]>((orm) =>
  orm
    .select({
      id: items.id,
      title: items.title,
      description: items.description,
      tags: items.tags,
      visibility: items.visibility,
      deleted_at: items.deleted_at,
    })
    .from(items)
    .where(lt(items.id, sql.placeholder('below_id')))
    .orderBy(desc(items.id))
    .limit(ROWS),
);

/**
 * A recurring job: converts the texts of the items below the position in search_reindex to NFC and
 * reindexes them, newest first. A migration that changes the index sets the position. The version
 * of these items does not change.
 */
export const createSearchReindex = ({ db }: { db: Db }): Job => ({
  name: 'search index',
  everyMs: EVERY_MS,
  run: async () => {
    if ((await positionOf(db.read, {})).length === 0) return false;
    return db.write(reindexSome);
  },
});

/** Returns true when more is left. */
async function reindexSome(tx: Tx): Promise<boolean> {
  const hasTime = timeBudget(MAX_RUN_MS);
  const [position] = await positionOf(tx, {});
  if (!position) return false;
  for (let below_id = position.below_id; ; ) {
    const rows = await itemsBelow(tx, { below_id });
    for (const row of rows) {
      await reindex(tx, row);
      below_id = row.id;
      if (hasTime()) continue;
      await tx.orm.update(searchReindex).set({ below_id });
      return true;
    }
    if (rows.length === ROWS) continue;
    await tx.orm.delete(searchReindex);
    return false;
  }
}

async function reindex(tx: Tx, row: Indexed): Promise<void> {
  const { title, description, tags } = row;
  const set = inNfc({ title, description, tags });
  const isChanged = Object.entries(set).some(([name, value]) => Reflect.get(row, name) !== value);
  // Triggers update the tags, the index and the account's usage.
  if (isChanged) await tx.orm.update(items).set(set).where(eq(items.id, row.id));
  await indexWords(tx, { ...row, ...set });
}
