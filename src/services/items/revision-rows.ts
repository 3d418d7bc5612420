import { and, asc, desc, eq, gt, inArray, lt, lte, sql } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { type ItemRevision, type ItemRow, itemRevisions } from '../../models/index.ts';
import { nextTurn } from '../../utils/async/event-loop.ts';

/** What of an item its revisions tell; `deleted_at` is told by the action alone. */
export const TRACKED = ['title', 'description', 'url', 'tags', 'data', 'visibility'] as const;
export type Tracked = (typeof TRACKED)[number];
export type Columns = Partial<Pick<ItemRow, Tracked>>;

type Before = { item_id: number; version: number; limit: number };
/** The newest first, older than a version. */
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
/** Dropped with one change at most: an item from before the limit comes down to it step by step. */
const DROPPED = 20;
const deleteOld = prepare<Old, unknown>((orm) => {
  const { item_id, version } = itemRevisions;
  const isOwn = eq(item_id, sql.placeholder('item_id'));
  const oldest = orm
    .select({ version })
    .from(itemRevisions)
    .where(and(isOwn, lte(version, sql.placeholder('until'))))
    .orderBy(asc(version))
    .limit(DROPPED);
  return orm.delete(itemRevisions).where(and(isOwn, inArray(version, oldest)));
});

/** Deletes the revisions of an item up to version `until`, the oldest of them first. */
export async function dropOldRevisions(tx: Session, item_id: number, until: number): Promise<void> {
  // The first revision is of version 2.
  if (until >= 2) await deleteOld(tx, { item_id, until });
}

/** Whether what an item was at a version, which is older than the current one, is still known. */
export async function isVersionKept(
  session: Session,
  item_id: number,
  version: number,
): Promise<boolean> {
  const next = { item_id, after: version, until: version + 1, limit: 1 };
  return (await revisionsWithin(session, next)).length > 0;
}

/** Revisions of one read: with data of 64 KiB each, some milliseconds. */
const CHUNK = 50;

/** The tracked columns that a revision changed, as they were before it. */
export function columnsBefore({ before }: Pick<ItemRevision, 'before'>): Columns {
  const { deleted_at: _, ...columns } = JSON.parse(before) as Partial<ItemRow>;
  return columns;
}

/** As `columnsBefore`, of one revision; nothing when there is none. */
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
 * What the columns that changed after version `after`, up to version `until`, were at `after`: of
 * each, what its first change since then found. A history may be long, so others get their turn.
 */
export async function columnsAt(
  session: Session,
  item_id: number,
  after: number,
  until: number,
): Promise<Columns> {
  let columns: Columns = {};
  for (let from = after; Object.keys(columns).length < TRACKED.length; ) {
    const chunk = await revisionsWithin(session, { item_id, after: from, until, limit: CHUNK });
    for (const revision of chunk) columns = { ...columnsBefore(revision), ...columns };
    if (chunk.length < CHUNK) break;
    from = chunk.at(-1)?.version ?? until;
    await nextTurn();
  }
  return columns;
}
