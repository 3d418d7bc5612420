import { sql } from 'drizzle-orm';
import type { AnyActor } from '../../../core/actor.ts';
import type { Db } from '../../../core/db/db.ts';
import { prepareChange, prepareRows } from '../../../core/db/query.ts';
import type { Tx } from '../../../core/db/writer.ts';
import type { Log } from '../../../core/log.ts';
import type { Viewers } from '../../../core/viewers.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { createFlusher } from '../../../utils/async/flusher.ts';
import { isBot } from '../../../utils/http/bots.ts';
import { hourOf } from '../../../utils/time/units.ts';
import type { RowAccess } from '../access.ts';
import { tablesOf } from '../statements.ts';

export interface RowViewsDeps {
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
export interface RowViews {
  /** Counts one view of a row. In strict mode the promise resolves once the view is stored. */
  add(id: number): Promise<void> | undefined;
  pending(id: number): number;
  /**
   * The result of `read` with pending views added, as of one moment: it reads again if views were
   * stored meanwhile, so that none is counted twice or missed.
   */
  withPending<R extends Viewed | Viewed[]>(read: () => Promise<R>): Promise<R>;
  /** Adds pending views, as of the commit, to a row that `tx` has read. */
  addPendingAfter(tx: Tx, row: object & { id: number }): void;
  /** Stores all pending views; views that could not be stored stay pending and are retried. */
  flush(): Promise<void>;
}

/** The longest time that a view is in memory only. */
const MAX_DELAY_MS = 250;
/** Rows in one transaction: bounds how long it holds the event loop. */
const MAX_ROWS = 256;

interface Pending {
  counts: Map<number, number>;
  /** The number of writes so far: a reader compares it to detect a write in between. */
  writes: number;
}

export function createRowViews(def: Definition, deps: RowViewsDeps): RowViews {
  const pending: Pending = { counts: new Map(), writes: 0 };
  const statements = statementsOf(def);
  const flusher = createFlusher({
    write: () => writeCounts(deps, statements, pending),
    maxDelayMs: MAX_DELAY_MS,
    onError: (error) => deps.log.error('Views could not be stored; they stay pending.', { error }),
  });
  const { counts } = pending;
  const addPending = (row: Viewed) => {
    row.views += counts.get(row.id) ?? 0;
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
        for (const row of [result].flat() as Viewed[]) addPending(row);
        return result;
      }
    },
    // Effects run in the order of the writers of a group: views stored before this transaction were
    // read by it and are no longer pending; those stored after it still are.
    addPendingAfter: (tx, row) => tx.afterCommit(() => addPending(row as Viewed)),
    flush: flusher.flush,
  };
}

export interface ViewCounterDeps {
  db: Db;
  views: RowViews;
  viewers: Viewers;
  access: Pick<RowAccess, 'ensureVisible' | 'notFound'>;
}

/** Counts views of rows that the caller may see. */
export function createViewCounter(
  def: Definition,
  { db, views, viewers, access }: ViewCounterDeps,
) {
  const { viewsById } = statementsOf(def);
  return {
    /**
     * Counts a view, except of a bot or of a caller who viewed the row recently. Returns the views
     * of the row and whether this one was counted. Throws not_found.
     */
    count: async (actor: AnyActor, id: number): Promise<{ views: number; counted: boolean }> => {
      await access.ensureVisible(db.read, actor, id);
      const counted = !isBot(actor.origin.user_agent) && viewers.isNew(id, actor);
      if (counted) await views.add(id);
      const [row] = await views.withPending(() => viewsById(db.read, { id }));
      if (!row) throw access.notFound(id);
      return { views: row.views, counted };
    },
  };
}

async function writeCounts(
  { db, now }: RowViewsDeps,
  { addViews, addToHour }: ReturnType<typeof statementsOf>,
  pending: Pending,
): Promise<void> {
  const { counts } = pending;
  const all = [...counts].sort(([a], [b]) => a - b);
  for (let start = 0; start < all.length; start += MAX_ROWS) {
    const batch = all.slice(start, start + MAX_ROWS);
    await db.write(async (tx) => {
      const hour = hourOf(now());
      for (const [row_id, count] of batch) {
        await addViews(tx, { row_id, count, hour });
        await addToHour(tx, { row_id, count, hour });
      }
      // In the same tick as the commit, so that no reader counts a view twice or misses it.
      tx.afterCommit(() => {
        pending.writes++;
        for (const [id, count] of batch) subtract(counts, id, count);
      });
    });
  }
}

type Count = { row_id: number; count: number; hour: number };

function statementsOf(def: Definition) {
  const { views, hours, rowId } = tablesOf(def);
  const p = sql.placeholder;
  return {
    viewsById: prepareRows<{ id: number }, Viewed>(
      sql`select ${rowId} as id, views from ${views} where ${rowId} = ${p('id')}`,
    ),
    // No RETURNING: SQLite would write a statement journal, which triples the cost.
    addViews: prepareChange<Count>(
      sql`update ${views} set views = views + ${p('count')}, day = day + ${p('count')}, week = week + ${p('count')}, month = month + ${p('count')} where ${rowId} = ${p('row_id')}`,
    ),
    /** Adds nothing for a row that was erased, so that the batch does not fail. */
    addToHour: prepareChange<Count>(
      sql`insert into ${hours} (hour, ${rowId}, views) select ${p('hour')}, ${rowId}, ${p('count')} from ${views} where ${rowId} = ${p('row_id')} on conflict (hour, ${rowId}) do update set views = ${hours}.views + excluded.views`,
    ),
  };
}

function subtract(counts: Map<number, number>, id: number, count: number): void {
  const left = (counts.get(id) ?? 0) - count;
  if (left > 0) counts.set(id, left);
  else counts.delete(id);
}
