import { asc, desc, gt, sql } from 'drizzle-orm';
import type { Session } from '../core/db.ts';
import { prepare } from '../core/query.ts';
import { type ItemEvent, itemEvents } from '../models/index.ts';
import { maySee } from './item-access.ts';
import { type Item, itemById } from './item-rows.ts';
import type { Caller } from './users.ts';

/** An event and its item as it is now; undefined when it is gone for good. */
export interface ItemNews {
  event: ItemEvent;
  item: Item | undefined;
}

type After = { id: number; limit: number };
export const eventsAfter = prepare<After, ItemEvent[]>((orm) =>
  orm
    .select()
    .from(itemEvents)
    .where(gt(itemEvents.id, sql.placeholder('id')))
    .orderBy(asc(itemEvents.id))
    .limit(sql.placeholder('limit')),
);
const oldestEvent = prepare<Record<string, never>, { id: number }[]>((orm) =>
  orm.select({ id: itemEvents.id }).from(itemEvents).orderBy(asc(itemEvents.id)).limit(1),
);
const newestEvent = prepare<Record<string, never>, { id: number }[]>((orm) =>
  orm.select({ id: itemEvents.id }).from(itemEvents).orderBy(desc(itemEvents.id)).limit(1),
);

export async function newsOf(session: Session, event: ItemEvent): Promise<ItemNews> {
  return { event, item: (await itemById(session, { id: event.item_id }))[0] };
}

/** After which ids everything is still known: from one to the other, both included. */
export async function knownIds(session: Session): Promise<{ oldest: number; newest: number }> {
  const [newest] = await newestEvent(session, {});
  const [oldest] = await oldestEvent(session, {});
  return { oldest: (oldest?.id ?? 1) - 1, newest: newest?.id ?? 0 };
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
