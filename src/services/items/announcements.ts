import { sql } from 'drizzle-orm';
import type { Cache } from '../../core/cache.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { type ItemEvent, itemEvents } from '../../models/index.ts';
import type { Item } from './rows.ts';

/** Tag of everything in the cache that was made from items. */
export const ITEMS_TAG = 'items';
/** Tag of what is popular, which a new item cannot be: nobody has viewed it. */
export const POPULAR_TAG = 'popular';

export interface AnnouncementsDeps {
  cache: Cache;
  /** Has listeners told of the events that are committed. Must not throw. */
  publish(): void;
  now(): Date;
}

const insertEvent = prepare<Omit<ItemEvent, 'id'>, unknown>((orm) =>
  orm.insert(itemEvents).values({
    type: sql.placeholder('type'),
    item_id: sql.placeholder('item_id'),
    owner_id: sql.placeholder('owner_id'),
    audience: sql.placeholder('audience'),
    version: sql.placeholder('version'),
    at: sql.placeholder('at'),
  }),
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
    await insertEvent(tx, { type, item_id, owner_id, audience, version, at });
  }
  // A response that everybody may have must not be made anew because of a hidden item: it would tell.
  if (![old, item].some((it) => it && isShownToAll(it))) return;
  tx.afterCommit(() => {
    deps.publish();
    deps.cache.invalidate(ITEMS_TAG);
    if (item.views > 0) deps.cache.invalidate(POPULAR_TAG);
  });
}

function isShownToAll({ visibility, deleted_at }: Pick<Item, 'visibility' | 'deleted_at'>) {
  return visibility === 'public' && deleted_at === null;
}

/**
 * Records that an item of a deleted account is gone, and tells listeners after the commit. Nobody
 * is left who was told of a private one.
 */
export async function announceErasure(
  deps: AnnouncementsDeps,
  tx: Tx,
  item: Pick<Item, 'id' | 'owner_id' | 'version' | 'visibility' | 'deleted_at'>,
): Promise<void> {
  const { id: item_id, owner_id, version } = item;
  if (!isShownToAll(item)) return;
  const at = deps.now().toISOString();
  const told = { type: 'deleted', audience: 'all', item_id, owner_id, version, at } as const;
  await insertEvent(tx, told);
  tx.afterCommit(deps.publish);
}

/** Drops everything in the cache that was made from items, after the commit. */
export function invalidateItems({ cache }: AnnouncementsDeps, tx: Tx): void {
  tx.afterCommit(() => {
    cache.invalidate(ITEMS_TAG);
    cache.invalidate(POPULAR_TAG);
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
