import { and, asc, desc, eq, gt, inArray, lt, lte, sql } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { type ItemRevision, type ItemRow, itemRevisions } from '../../models/items.ts';
import { nextTurn } from '../../utils/async/event-loop.ts';
import { EDITABLE_FIELDS } from './rows.ts';

/** The fields that revisions record; `deleted_at` follows from the action. */
export type Columns = Partial<Pick<ItemRow, (typeof EDITABLE_FIELDS)[number]>>;

type Before = { item_id: number; version: number; limit: number };
/** The revisions before a version, newest first. */
export const revisionsBefore = prepare<Before, ItemRevision[]>((orm) =>
  orm
    .select()
    .from(itemRevisions)
    .where(
      and(
        eq(itemRevisions.item_id, sql.placeholder('item_id')),
        lt(itemRevisions.version, sql.placeholder('version')),
      ),
    )
    .orderBy(desc(itemRevisions.version))
    .limit(sql.placeholder('limit')),
);

type Within = { item_id: number; after: number; until: number; limit: number };
const revisionsWithin = prepare<Within, Pick<ItemRevision, 'version' | 'before'>[]>((orm) =>
  orm
    .select({ version: itemRevisions.version, before: itemRevisions.before })
    .from(itemRevisions)
    .where(
      and(
        eq(itemRevisions.item_id, sql.placeholder('item_id')),
        gt(itemRevisions.version, sql.placeholder('after')),
        lte(itemRevisions.version, sql.placeholder('until')),
      ),
    )
    .orderBy(asc(itemRevisions.version))
    .limit(sql.placeholder('limit')),
);

type Old = { item_id: number; until: number };
/** Deleted with one change at most: an item far above the limit approaches it step by step. */
const MAX_DROPPED = 20;
const deleteOld = prepare<Old, unknown>((orm) => {
  const { item_id, version } = itemRevisions;
  const isOfItem = eq(item_id, sql.placeholder('item_id'));
  const oldest = orm
    .select({ version })
    .from(itemRevisions)
    .where(and(isOfItem, lte(version, sql.placeholder('until'))))
    .orderBy(asc(version))
    .limit(MAX_DROPPED);
  return orm.delete(itemRevisions).where(and(isOfItem, inArray(version, oldest)));
});

/** Deletes revisions of an item up to version `until`, oldest first. */
export async function dropOldRevisions(tx: Session, item_id: number, until: number): Promise<void> {
  // The first revision has version 2.
  if (until >= 2) await deleteOld(tx, { item_id, until });
}

/** True if the history still covers an older version of an item. */
export async function hasVersion(
  session: Session,
  item_id: number,
  version: number,
): Promise<boolean> {
  const next = { item_id, after: version, until: version + 1, limit: 1 };
  return (await revisionsWithin(session, next)).length > 0;
}

/** Revisions of one read: a few milliseconds with 64 KiB of data each. */
const CHUNK = 50;

/** The columns that a revision changed, with their values before it. */
export function columnsBefore({ before }: Pick<ItemRevision, 'before'>): Columns {
  const { deleted_at: _, ...columns } = JSON.parse(before) as Partial<ItemRow>;
  return columns;
}

/** Like `columnsBefore` for one version; empty if it has no revision. */
export async function columnsBeforeVersion(
  session: Session,
  item_id: number,
  version: number,
): Promise<Columns> {
  const within = { item_id, after: version - 1, until: version, limit: 1 };
  const [revision] = await revisionsWithin(session, within);
  return revision ? columnsBefore(revision) : {};
}

/**
 * The columns that changed after version `after`, up to version `until`, with their values at
 * `after`: the first change since then recorded them. Yields between reads, as a history may be long.
 */
export async function columnsAt(
  session: Session,
  item_id: number,
  after: number,
  until: number,
): Promise<Columns> {
  let columns: Columns = {};
  for (let from = after; Object.keys(columns).length < EDITABLE_FIELDS.length; ) {
    const chunk = await revisionsWithin(session, { item_id, after: from, until, limit: CHUNK });
    for (const revision of chunk) columns = { ...columnsBefore(revision), ...columns };
    if (chunk.length < CHUNK) break;
    from = chunk.at(-1)?.version ?? until;
    await nextTurn();
  }
  return columns;
}
