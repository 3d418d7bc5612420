import { type Column, eq, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Log } from '../../core/log.ts';
import { itemHours, itemViews } from '../../models/index.ts';
import { hourOf } from '../../utils/time/units.ts';

export interface ItemViewsDeps {
  db: Db;
  log: Log;
  now(): Date;
  /** Whether a view is on disk before whoever counts it goes on. */
  isStrict: boolean;
}

interface Counted {
  id: number;
  views: number;
}

/** Views that are counted but not yet written. */
export interface ItemViews {
  /** Counts one view of an item. What it gives is waited for: strict views are written then. */
  add(id: number): Promise<void> | undefined;
  pending(id: number): number;
  /**
   * What `read` gives, each with what is pending, as of one moment: it is read again where views
   * were written meanwhile, so that none is there twice or not at all.
   */
  withPending<R extends Counted | Counted[]>(read: () => Promise<R>): Promise<R>;
  /** Adds what is pending to what `tx` has read, as of its commit. */
  addPendingAfter(tx: Tx, item: Counted): void;
  /** Writes all pending views; what fails to be written stays pending and is tried again. */
  flush(): Promise<void>;
}

/** The longest that a view stays in memory alone. */
const MAX_DELAY_MS = 250;
/** Items in one transaction: bounds how long writing them holds the event loop. */
const MAX_ITEMS = 256;

interface Pending {
  counts: Map<number, number>;
  /** How often some of them were written: tells a reader that they were meanwhile. */
  writes: number;
}

export function createItemViews(deps: ItemViewsDeps): ItemViews {
  const pending: Pending = { counts: new Map(), writes: 0 };
  const flusher = createFlusher(deps, pending);
  const { counts } = pending;
  const addPending = (item: Counted) => {
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
        for (const item of [result].flat() as Counted[]) addPending(item);
        return result;
      }
    },
    // Among the effects of a group of writers this one has its place: views that were written
    // before it are in what was read, and pending no more; those after it are still pending.
    addPendingAfter: (tx, item) => tx.afterCommit(() => addPending(item)),
    flush: flusher.flush,
  };
}

function createFlusher(deps: ItemViewsDeps, pending: Pending) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> | undefined;
  /** Begins once `writing` has ended, and so takes all that is counted until then. */
  let next: Promise<void> | undefined;

  const flush = () => {
    next ??= begin();
    return next;
  };
  const begin = async () => {
    await writing;
    next = undefined;
    clearTimeout(timer);
    timer = undefined;
    const write = writeCounts(deps, pending);
    // Whoever waits for his turn is not told how the one before him ended.
    writing = write.catch(flushLater);
    await write;
  };
  const flushLater = () => {
    timer ??= setTimeout(() => {
      flush().catch((error) => {
        deps.log.error('Views could not be written; they stay pending.', { error });
      });
    }, MAX_DELAY_MS);
    timer.unref();
  };
  return { flush, flushLater };
}

async function writeCounts({ db, now }: ItemViewsDeps, pending: Pending): Promise<void> {
  const { counts } = pending;
  const all = [...counts].sort(([a], [b]) => a - b);
  for (let start = 0; start < all.length; start += MAX_ITEMS) {
    const batch = all.slice(start, start + MAX_ITEMS);
    await db.write(async (tx) => {
      const hour = hourOf(now());
      for (const [item_id, count] of batch) await writeCount(tx, { item_id, count, hour });
      // In the same turn as the commit: nobody sees a view twice or not at all.
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

// Without RETURNING, which makes SQLite keep a journal of the statement and costs thrice as much.
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

/** Adds nothing for an item that is gone for good: it must not fail the others. */
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
