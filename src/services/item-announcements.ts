import { and, eq, sql } from 'drizzle-orm';
import type { Cache } from '../core/cache.ts';
import { prepare } from '../core/query.ts';
import type { Tx } from '../core/writer.ts';
import { type ItemEvent, itemEvents, items } from '../models/index.ts';
import { type Item, isListed } from './item-rows.ts';

/** Tag of everything in the cache that was made from items. */
export const ITEMS_TAG = 'items';
/** Tag of what is popular, which a new item cannot be: nobody has viewed it. */
export const POPULAR_TAG = 'popular';

export interface AnnouncementsDeps {
  cache: Cache;
  /** Told of each change once it is committed. Must not throw. */
  publish(event: ItemEvent): void;
  now(): Date;
}

const insertEvent = prepare<Omit<ItemEvent, 'id'>, ItemEvent[]>((orm) =>
  orm
    .insert(itemEvents)
    .values({
      type: sql.placeholder('type'),
      item_id: sql.placeholder('item_id'),
      owner_id: sql.placeholder('owner_id'),
      audience: sql.placeholder('audience'),
      version: sql.placeholder('version'),
      at: sql.placeholder('at'),
    })
    .returning(),
);

/** Notes who is to be told what, in the transaction, and tells it after the commit. */
export async function announce(
  deps: AnnouncementsDeps,
  tx: Tx,
  old: Item | undefined,
  item: Item,
): Promise<void> {
  const { id: item_id, owner_id, version, updated_at: at } = item;
  for (const [audience, type] of tellings(old, item)) {
    const [event] = await insertEvent(tx, { type, item_id, owner_id, audience, version, at });
    tx.afterCommit(() => deps.publish(event as ItemEvent));
  }
  tx.afterCommit(() => {
    deps.cache.invalidate(ITEMS_TAG);
    if (item.views > 0) deps.cache.invalidate(POPULAR_TAG);
  });
}

/** Notes that all that is an account's is gone, before it is, and tells it after the commit. */
export async function announceRemoval(
  deps: AnnouncementsDeps,
  tx: Tx,
  owner_id: number,
): Promise<void> {
  const { id, version } = items;
  const isSeen = and(eq(items.owner_id, owner_id), isListed);
  const seen = await tx.orm.select({ id, version }).from(items).where(isSeen);
  const told = {
    type: 'deleted',
    owner_id,
    audience: 'all',
    at: deps.now().toISOString(),
  } as const;
  for (const item of seen) {
    const [event] = await insertEvent(tx, { ...told, item_id: item.id, version: item.version });
    tx.afterCommit(() => deps.publish(event as ItemEvent));
  }
  tx.afterCommit(() => {
    deps.cache.invalidate(ITEMS_TAG);
    deps.cache.invalidate(POPULAR_TAG);
  });
}

type Telling = [audience: ItemEvent['audience'], type: ItemEvent['type']];

/** To whom an item that becomes private is gone, and to whom one that becomes public is new. */
function tellings(old: Item | undefined, item: Item): Telling[] {
  const was = old && old.deleted_at === null ? old.visibility : undefined;
  const is = item.deleted_at === null ? item.visibility : undefined;
  const type = was === undefined ? 'created' : is === undefined ? 'deleted' : 'updated';
  if (was !== undefined && is !== undefined && was !== is) {
    return [
      ['owner', 'updated'],
      ['others', is === 'public' ? 'created' : 'deleted'],
    ];
  }
  return [[(is ?? was) === 'public' ? 'all' : 'owner', type]];
}
