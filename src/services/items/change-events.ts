import { asc, desc, gt, lte, max, min, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { AnyActor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { type ItemEvent, itemEvents } from '../../models/items.ts';
import { DAY_MS, MINUTE_MS } from '../../utils/time/units.ts';
import type { Job } from '../jobs.ts';
import { maySee } from './access.ts';
import { accessById, type Item, itemById } from './rows.ts';

/** An event and the current state of its item; undefined once the item is erased. */
export interface ChangeEvent {
  event: ItemEvent;
  item: Item | undefined;
}

/** Cached so that many listeners who resume at once cost little more than one. */
const MAX_CACHED_BYTES = 16_777_216;

/** Events of one read; bounds how long one listener holds the event loop. */
export const EVENT_PAGE = 100;

/** The approximate memory of an event and its encoded frame. */
export function bytesOf({ item }: ChangeEvent): number {
  return 500 + (item ? item.description.length + item.data.length : 0);
}

/** Returns a reader of events with their items. It returns the same object while the item is unchanged. */
export function createEventReader({ read }: Db): (event: ItemEvent) => Promise<ChangeEvent> {
  const cache = new LRUCache<number, ChangeEvent>({
    maxSize: MAX_CACHED_BYTES,
    sizeCalculation: (cached) => 3 * bytesOf(cached),
  });
  return async (event) => {
    const cached = cache.get(event.id);
    if (cached && (await isCurrent(read, cached))) return cached;
    const current = { event, item: (await itemById(read, { id: event.item_id }))[0] };
    cache.set(event.id, current);
    return current;
  };
}

/** False if the item has changed since: it may have become private. */
async function isCurrent(session: Session, { event, item }: ChangeEvent): Promise<boolean> {
  const [now] = await accessById(session, { id: event.item_id });
  return now?.version === item?.version;
}

/**
 * The position of a caller who has received everything up to the event `after`. `newest` is the
 * last event that the caller may receive; events of other owners' hidden items do not move it.
 * `isKnown` is true if every event after `after` is still stored. An id within the stored range
 * without an event was lost by restoring a backup.
 */
export async function positionOf(
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
 * The stored events, each once and in order, whichever process wrote them: ids ascend in the order
 * of the commits, so none can appear before one that was read.
 */
export function createFeed(read: Session) {
  let position = Promise.resolve(0);
  return {
    /** Skips the events that exist now. Takes effect before the next read. */
    skipToNow: (): void => {
      position = newestEvent(read, {}).then(([newest]) => newest?.id ?? 0);
      // `next` reports the error.
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

/** True if the caller receives an event at all. */
export function mayReceive({ audience, owner_id }: ItemEvent, actor: AnyActor): boolean {
  if (audience === 'all') return true;
  return (audience === 'owner') === (actor.id === owner_id);
}

/** True if the caller receives the item with its event. */
export function includesItem({ event, item }: ChangeEvent, actor: AnyActor): boolean {
  return (
    event.type !== 'deleted' &&
    item !== undefined &&
    item.deleted_at === null &&
    maySee(item, actor)
  );
}

/** The time for which a listener can resume. */
const RETENTION_MS = DAY_MS;
const RETENTION_EVERY_MS = 10 * MINUTE_MS;
/** Events deleted in one transaction. */
const BATCH = 1000;

/**
 * A recurring job: deletes events older than 24 hours, except the last one, which marks how far the
 * ids have advanced.
 */
export const createEventRetention = ({ db, now }: { db: Db; now(): Date }): Job => ({
  name: 'event retention',
  everyMs: RETENTION_EVERY_MS,
  run: () => {
    const until = new Date(now().getTime() - RETENTION_MS).toISOString();
    const { id, at } = itemEvents;
    return db.write(async ({ orm }) => {
      const oldest = await orm
        .select({ id, at })
        .from(itemEvents)
        .orderBy(id)
        .limit(BATCH + 1);
      // Leaves no gap, even if the clock was changed: a listener who resumes misses nothing.
      const firstKept = oldest.findIndex((event, index) => event.at > until || !oldest[index + 1]);
      const last = oldest[firstKept - 1];
      if (!last) return false;
      await orm.delete(itemEvents).where(lte(id, last.id));
      return firstKept === BATCH;
    });
  },
});

export const eventsAfter = prepare<{ id: number; limit: number }, ItemEvent[]>((orm) =>
  orm
    .select()
    .from(itemEvents)
    .where(gt(itemEvents.id, sql.placeholder('id')))
    .orderBy(asc(itemEvents.id))
    .limit(sql.placeholder('limit')),
);

type EventId = { id: number | null };

const oldestEvent = prepare<Record<string, never>, EventId[]>((orm) =>
  orm.select({ id: min(itemEvents.id) }).from(itemEvents),
);

const newestEvent = prepare<Record<string, never>, EventId[]>((orm) =>
  orm.select({ id: max(itemEvents.id) }).from(itemEvents),
);

const newestOfAll = prepare<Record<string, never>, EventId[]>((orm) =>
  orm
    .select({ id: itemEvents.id })
    .from(itemEvents)
    .where(sql`${itemEvents.audience} <> 'owner'`)
    .orderBy(desc(itemEvents.id))
    .limit(1),
);

const newestOwn = prepare<{ owner_id: number }, EventId[]>((orm) =>
  orm
    .select({ id: itemEvents.id })
    .from(itemEvents)
    .where(
      sql`${itemEvents.owner_id} = ${sql.placeholder('owner_id')} and ${itemEvents.audience} = 'owner'`,
    )
    .orderBy(desc(itemEvents.id))
    .limit(1),
);
