import { asc, desc, gt, max, min, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { AnyActor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { type ItemEvent, itemEvents } from '../../models/index.ts';
import { maySee } from './access.ts';
import { accessById, type Item, itemById } from './rows.ts';

/** An event and its item as it is now; undefined when it is gone for good. */
export interface ItemNews {
  event: ItemEvent;
  item: Item | undefined;
}

/** So that many who resume at once cost little more than one. */
const MAX_KEPT_BYTES = 16_777_216;

/** Events of one read; bounds how long one listener holds the event loop. */
export const EVENT_PAGE = 100;

type After = { id: number; limit: number };
export const eventsAfter = prepare<After, ItemEvent[]>((orm) =>
  orm
    .select()
    .from(itemEvents)
    .where(gt(itemEvents.id, sql.placeholder('id')))
    .orderBy(asc(itemEvents.id))
    .limit(sql.placeholder('limit')),
);
type Edge = { id: number | null };
const oldestEvent = prepare<Record<string, never>, Edge[]>((orm) =>
  orm.select({ id: min(itemEvents.id) }).from(itemEvents),
);
const newestEvent = prepare<Record<string, never>, Edge[]>((orm) =>
  orm.select({ id: max(itemEvents.id) }).from(itemEvents),
);
const newestOfAll = prepare<Record<string, never>, Edge[]>((orm) =>
  orm
    .select({ id: itemEvents.id })
    .from(itemEvents)
    .where(sql`${itemEvents.audience} <> 'owner'`)
    .orderBy(desc(itemEvents.id))
    .limit(1),
);
const newestOwn = prepare<{ owner_id: number }, Edge[]>((orm) =>
  orm
    .select({ id: itemEvents.id })
    .from(itemEvents)
    .where(
      sql`${itemEvents.owner_id} = ${sql.placeholder('owner_id')} and ${itemEvents.audience} = 'owner'`,
    )
    .orderBy(desc(itemEvents.id))
    .limit(1),
);

/** About how much memory news takes, with what is sent of it. */
export function newsBytes({ item }: ItemNews): number {
  return 500 + (item ? item.description.length + item.data.length : 0);
}

/** Gives what reads the news of an event, and the same object again while its item is the same. */
export function createNewsReader({ read }: Db): (event: ItemEvent) => Promise<ItemNews> {
  const kept = new LRUCache<number, ItemNews>({
    maxSize: MAX_KEPT_BYTES,
    sizeCalculation: (news) => 3 * newsBytes(news),
  });
  return async (event) => {
    const known = kept.get(event.id);
    if (known && (await isCurrent(read, known))) return known;
    const news = { event, item: (await itemById(read, { id: event.item_id }))[0] };
    kept.set(event.id, news);
    return news;
  };
}

/** Never shown when it is not: an item may have become private since. */
async function isCurrent(session: Session, { event, item }: ItemNews): Promise<boolean> {
  const [now] = await accessById(session, { id: event.item_id });
  return now?.version === item?.version;
}

/**
 * Where a caller stands who was told everything up to the event `after`: `newest` is the last event
 * that the caller may hear of, which events of others' hidden items do not move, and `isKnown` says
 * whether everything after `after` is still there. An id between the known ones that no event has
 * was lost by a restore.
 */
export async function placeOf(
  session: Session,
  actor: AnyActor,
  after = -1,
): Promise<{ newest: number; isKnown: boolean }> {
  const [first] = await oldestEvent(session, {});
  const [others] = await newestOfAll(session, {});
  const [own] = actor.id !== null ? await newestOwn(session, { owner_id: actor.id }) : [];
  const oldest = (first?.id ?? 1) - 1;
  const newest = Math.max(others?.id ?? 0, own?.id ?? 0);
  if (after < oldest || after > newest) return { newest, isKnown: false };
  const [event] = await eventsAfter(session, { id: after - 1, limit: 1 });
  return { newest, isKnown: after === oldest || event?.id === after };
}

/**
 * The events of the table, each once and in order, whichever process wrote them: ids ascend in the
 * order of the commits, so none can appear before one that was read.
 */
export function createFeed(read: Session) {
  let position = Promise.resolve(0);
  return {
    /** Leaves out what there is already. It is read before anything else is. */
    skipToNow: (): void => {
      position = newestEvent(read, {}).then(([newest]) => newest?.id ?? 0);
      // Reported by `next`.
      position.catch(() => {});
    },
    next: async (): Promise<ItemEvent[]> => {
      const events = await eventsAfter(read, { id: await position, limit: EVENT_PAGE });
      const last = events.at(-1);
      if (last) position = Promise.resolve(last.id);
      return events;
    },
  };
}

/** Whether the caller is told of an event at all. */
export function mayHear({ audience, owner_id }: ItemEvent, actor: AnyActor): boolean {
  if (audience === 'all') return true;
  return (audience === 'owner') === (actor.id === owner_id);
}

/** Whether the caller is shown the item with its event. */
export function isShown({ event, item }: ItemNews, actor: AnyActor): boolean {
  return (
    event.type !== 'deleted' &&
    item !== undefined &&
    item.deleted_at === null &&
    maySee(item, actor)
  );
}
