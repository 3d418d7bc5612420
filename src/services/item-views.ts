import { eq, sql } from 'drizzle-orm';
import type { Db } from '../core/db.ts';
import type { Log } from '../core/log.ts';
import { prepare } from '../core/query.ts';
import { itemViews } from '../models/index.ts';

export interface ItemViewsDeps {
  db: Db;
  log: Log;
}

/** Views that are counted but not yet written. */
export interface ItemViews {
  /** Counts one view of an item and gives how many are pending for it, this one included. */
  add(id: number): number;
  pending(id: number): number;
  /** Writes all pending views in one transaction; what fails to be written stays pending. */
  flush(): Promise<void>;
}

/** The longest that a view stays in memory alone. */
const MAX_DELAY_MS = 250;
/** Items in one transaction: bounds how long writing them holds the event loop. */
const MAX_ITEMS = 256;

const addViews = prepare<{ id: number; count: number }, unknown>((orm) =>
  orm
    .update(itemViews)
    .set({ views: sql`${itemViews.views} + ${sql.placeholder('count')}` })
    .where(eq(itemViews.item_id, sql.placeholder('id'))),
);

export function createItemViews({ db, log }: ItemViewsDeps): ItemViews {
  const counts = new Map<number, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> | undefined;

  const flush = async () => {
    clearTimeout(timer);
    timer = undefined;
    // Twice: what was added while another flush was under way must be written too.
    while (writing) await writing;
    if (counts.size === 0) return;
    writing = writeCounts(db, counts).finally(() => {
      writing = undefined;
    });
    await writing;
  };
  const flushLater = () => {
    timer ??= setTimeout(() => {
      flush().catch((error) => {
        log.error('Views could not be written; they stay pending.', { error });
        flushLater();
      });
    }, MAX_DELAY_MS);
  };
  return {
    add: (id) => {
      const count = (counts.get(id) ?? 0) + 1;
      counts.set(id, count);
      flushLater();
      return count;
    },
    pending: (id) => counts.get(id) ?? 0,
    flush,
  };
}

async function writeCounts(db: Db, counts: Map<number, number>): Promise<void> {
  const all = [...counts];
  for (let start = 0; start < all.length; start += MAX_ITEMS) {
    const batch = all.slice(start, start + MAX_ITEMS);
    await db.write(async (tx) => {
      for (const [id, count] of batch) await addViews(tx, { id, count });
      // In the same turn as the commit: nobody sees a view twice or not at all.
      tx.afterCommit(() => {
        for (const [id, count] of batch) subtract(counts, id, count);
      });
    });
  }
}

function subtract(counts: Map<number, number>, id: number, count: number): void {
  const left = (counts.get(id) ?? 0) - count;
  if (left > 0) counts.set(id, left);
  else counts.delete(id);
}
