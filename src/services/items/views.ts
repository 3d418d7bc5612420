import { type Column, eq, sql } from 'drizzle-orm';
import type { AnyActor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Log } from '../../core/log.ts';
import type { Viewers } from '../../core/viewers.ts';
import { itemHours, itemViews } from '../../models/items.ts';
import { createFlusher } from '../../utils/async/flusher.ts';
import { isBot } from '../../utils/http/bots.ts';
import { hourOf } from '../../utils/time/units.ts';
import { ensureVisible, itemNotFound } from './access.ts';

export interface ItemViewsDeps {
  db: Db;
  log: Log;
  now(): Date;
  /** True if `add` resolves only when the view is on disk. */
  isStrict: boolean;
}

interface Viewed {
  id: number;
  views: number;
}

/** Views that are counted but not yet stored. */
export interface ItemViews {
  /** Counts one view of an item. In strict mode the promise resolves once the view is stored. */
  add(id: number): Promise<void> | undefined;
  pending(id: number): number;
  /**
   * The result of `read` with pending views added, as of one moment: it reads again if views were
   * stored meanwhile, so that none is counted twice or missed.
   */
  withPending<R extends Viewed | Viewed[]>(read: () => Promise<R>): Promise<R>;
  /** Adds pending views, as of the commit, to an item that `tx` has read. */
  addPendingAfter(tx: Tx, item: Viewed): void;
  /** Stores all pending views; views that could not be stored stay pending and are retried. */
  flush(): Promise<void>;
}

/** The longest time that a view is in memory only. */
const MAX_DELAY_MS = 250;
/** Items in one transaction: bounds how long it holds the event loop. */
const MAX_ITEMS = 256;

interface Pending {
  counts: Map<number, number>;
  /** The number of writes so far: a reader compares it to detect a write in between. */
  writes: number;
}

export function createItemViews(deps: ItemViewsDeps): ItemViews {
  const pending: Pending = { counts: new Map(), writes: 0 };
  const flusher = createFlusher({
    write: () => writeCounts(deps, pending),
    maxDelayMs: MAX_DELAY_MS,
    onError: (error) => deps.log.error('Views could not be stored; they stay pending.', { error }),
  });
  const { counts } = pending;
  const addPending = (item: Viewed) => {
    item.views += counts.get(item.id) ?? 0;
  };
  return {
    add: (id) => {
      counts.set(id, (counts.get(id) ?? 0) + 1);
      if (deps.isStrict) return flusher.flush();
      flusher.flushLater();
      return undefined;
    },
    pending: (id) => counts.get(id) ?? 0,
    withPending: async (read) => {
      for (;;) {
        const { writes } = pending;
        const result = await read();
        if (pending.writes !== writes) continue;
        for (const item of [result].flat() as Viewed[]) addPending(item);
        return result;
      }
    },
    // Effects run in the order of the writers of a group: views stored before this transaction were
    // read by it and are no longer pending; those stored after it still are.
    addPendingAfter: (tx, item) => tx.afterCommit(() => addPending(item)),
    flush: flusher.flush,
  };
}

export interface ViewCounterDeps {
  db: Db;
  views: ItemViews;
  viewers: Viewers;
}

/** Counts views of items that the caller may see. */
export const createViewCounter = ({ db, views, viewers }: ViewCounterDeps) => ({
  /**
   * Counts a view, except of a bot or of a caller who viewed the item recently. Returns the views
   * of the item and whether this one was counted. Throws not_found.
   */
  count: async (actor: AnyActor, id: number): Promise<{ views: number; counted: boolean }> => {
    await ensureVisible(db.read, actor, id);
    const counted = !isBot(actor.origin.user_agent) && viewers.isNew(id, actor);
    if (counted) await views.add(id);
    const [item] = await views.withPending(() => viewsById(db.read, { id }));
    if (!item) throw itemNotFound(id);
    return { views: item.views, counted };
  },
});

const viewsById = prepare<{ id: number }, Viewed[]>((orm) =>
  orm
    .select({ id: itemViews.item_id, views: itemViews.views })
    .from(itemViews)
    .where(eq(itemViews.item_id, sql.placeholder('id'))),
);

async function writeCounts({ db, now }: ItemViewsDeps, pending: Pending): Promise<void> {
  const { counts } = pending;
  const all = [...counts].sort(([a], [b]) => a - b);
  for (let start = 0; start < all.length; start += MAX_ITEMS) {
    const batch = all.slice(start, start + MAX_ITEMS);
    await db.write(async (tx) => {
      const hour = hourOf(now());
      for (const [item_id, count] of batch) await writeCount(tx, { item_id, count, hour });
      // In the same tick as the commit, so that no reader counts a view twice or misses it.
      tx.afterCommit(() => {
        pending.writes++;
        for (const [id, count] of batch) subtract(counts, id, count);
      });
    });
  }
}

type Count = { item_id: number; count: number; hour: number };

async function writeCount(tx: Tx, count: Count): Promise<void> {
  await addViews(tx, count);
  await addToHour(tx, count);
}

const plus = (column: Column) => sql`${column} + ${sql.placeholder('count')}`;

// No RETURNING: SQLite would write a statement journal, which triples the cost.
const addViews = prepare<Count, unknown>((orm) =>
  orm
    .update(itemViews)
    .set({
      views: plus(itemViews.views),
      day: plus(itemViews.day),
      week: plus(itemViews.week),
      month: plus(itemViews.month),
    })
    .where(eq(itemViews.item_id, sql.placeholder('item_id'))),
);

/** Adds nothing for an item that was erased, so that the batch does not fail. */
const addToHour = prepare<Count, unknown>((orm) =>
  orm
    .insert(itemHours)
    .select((query) =>
      query
        .select({
          hour: sql<number>`${sql.placeholder('hour')}`.as('hour'),
          item_id: itemViews.item_id,
          views: sql<number>`${sql.placeholder('count')}`.as('views'),
        })
        .from(itemViews)
        .where(eq(itemViews.item_id, sql.placeholder('item_id'))),
    )
    .onConflictDoUpdate({
      target: [itemHours.hour, itemHours.item_id],
      set: { views: sql`${itemHours.views} + excluded.views` },
    }),
);

function subtract(counts: Map<number, number>, id: number, count: number): void {
  const left = (counts.get(id) ?? 0) - count;
  if (left > 0) counts.set(id, left);
  else counts.delete(id);
}
