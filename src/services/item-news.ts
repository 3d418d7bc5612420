import { asc, desc, gt, min, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { Db, Session } from '../core/db.ts';
import { prepare } from '../core/query.ts';
import { type ItemEvent, itemEvents } from '../models/index.ts';
import { maySee } from './item-access.ts';
import { accessById, type Item, itemById } from './item-rows.ts';
import type { Caller } from './users.ts';

/** An event and its item as it is now; undefined when it is gone for good. */
export interface ItemNews {
  event: ItemEvent;
  item: Item | undefined;
}

/** So that many who resume at once cost little more than one. */
const MAX_KEPT_BYTES = 16_777_216;

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
 * The ids after which the caller can be told everything: from `oldest` to `newest`, the last event
 * that the caller may hear of. Events of others' hidden items do not move it.
 */
export async function knownIds(
  session: Session,
  caller: Caller | undefined,
): Promise<{ oldest: number; newest: number }> {
  const [oldest] = await oldestEvent(session, {});
  const [others] = await newestOfAll(session, {});
  const [own] = caller ? await newestOwn(session, { owner_id: caller.id }) : [];
  return { oldest: (oldest?.id ?? 1) - 1, newest: Math.max(others?.id ?? 0, own?.id ?? 0) };
}

/** Whether the caller is told of an event at all. */
export function mayHear({ audience, owner_id }: ItemEvent, caller: Caller | undefined): boolean {
  if (audience === 'all') return true;
  return (audience === 'owner') === (caller?.id === owner_id);
}

/** Whether the caller is shown the item with its event. */
export function isShown({ event, item }: ItemNews, caller: Caller | undefined): boolean {
  return (
    event.type !== 'deleted' &&
    item !== undefined &&
    item.deleted_at === null &&
    maySee(item, caller)
  );
}
