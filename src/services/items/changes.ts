import { eq, sql } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Cache } from '../../core/cache.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import {
  type ItemEvent,
  type ItemRevision,
  type ItemRow,
  itemEvents,
  itemRevisions,
  items,
  MAX_DATA_BYTES,
} from '../../models/items.ts';
import { mergePatch } from '../../utils/json/merge-patch.ts';
import { type Quotas, textBytes } from '../quotas.ts';
import { getBinned, getEditable } from './access.ts';
import { ITEMS_TAG, POPULAR_TAG } from './popular.ts';
import { dropOldRevisions } from './revision-rows.ts';
import { columnsOf, type Item, type ItemFields, inNfc, insertItem } from './rows.ts';

/** A precondition of a change, and the action that its revision records. */
export interface ChangeOptions {
  /** The versions that the caller knows; any other one is refused. */
  ifMatch?: readonly number[] | undefined;
  action?: ItemRevision['action'];
}

export interface ItemChangesDeps {
  cache: Cache;
  quotas: Quotas;
  /** The number of revisions stored per item. */
  maxRevisions: number;
  /** Delivers committed events to listeners. Must not throw. */
  publish(): void;
  now(): Date;
}

export type ItemChanges = ReturnType<typeof createItemChanges>;

/**
 * All changes of items. Each runs in the caller's transaction, with its revision and its events;
 * cached responses are dropped and listeners notified after the commit.
 */
export function createItemChanges({ cache, quotas, maxRevisions, publish, now }: ItemChangesDeps) {
  const insertEvents = async (tx: Tx, old: Item | undefined, item: Item): Promise<void> => {
    const { id: item_id, owner_id, version, updated_at: at } = item;
    for (const [audience, type] of eventsOf(old, item)) {
      await insertEvent(tx, { type, item_id, owner_id, audience, version, at });
    }
    // Hidden items must not drop public responses from the cache: the miss would reveal the change.
    if (![old, item].some((it) => it && isListed(it))) return;
    tx.afterCommit(() => {
      publish();
      cache.invalidate(ITEMS_TAG);
      if (item.views > 0) cache.invalidate(POPULAR_TAG);
    });
  };

  const change = async (
    tx: Tx,
    actor: Actor,
    item: Item,
    columns: Partial<ItemRow>,
    { ifMatch, action }: ChangeOptions & { action: ItemRevision['action'] },
  ): Promise<Item> => {
    if (ifMatch && !ifMatch.includes(item.version)) throw versionMismatch(item.version);
    const set = differing(item, columns);
    if (Object.keys(set).length === 0) return item;
    const at = now().toISOString();
    const version = item.version + 1;
    const values = { ...set, version, updated_at: at };
    const old = pick(item, Object.keys(set));
    const before = JSON.stringify(old);
    if (action === 'update' || action === 'revert') {
      const bytes = textBytes(set) - textBytes(old) + Buffer.byteLength(before);
      await quotas.admit(tx, actor, item.owner_id, { bytes });
    }
    await tx.orm.update(items).set(values).where(eq(items.id, item.id));
    const revision = { item_id: item.id, version, action, actor_id: actor.id, at, before };
    await tx.orm.insert(itemRevisions).values(revision);
    await dropOldRevisions(tx, item.id, version - maxRevisions);
    const changed = { ...item, ...values };
    await insertEvents(tx, item, changed);
    return changed;
  };

  return {
    /** Creates an item. Throws quota_exceeded, storage_full. */
    create: async (tx: Tx, actor: Actor, fields: ItemFields): Promise<Item> => {
      const columns = columnsOf(fields) as Omit<ItemRow, 'id'>;
      await quotas.admit(tx, actor, actor.id, { items: 1, bytes: textBytes(columns) });
      const row = { ...columns, owner_id: actor.id, now: now().toISOString() };
      const item = { ...((await insertItem(tx, row))[0] as ItemRow), views: 0 };
      await insertEvents(tx, undefined, item);
      return item;
    },

    /**
     * Changes the fields that differ; `data` is a merge patch. Throws not_found, forbidden,
     * version_mismatch, quota_exceeded, storage_full, and validation_failed if data grows too large.
     */
    update: async (
      tx: Tx,
      actor: Actor,
      id: number,
      fields: Partial<ItemFields>,
      options: ChangeOptions = {},
    ): Promise<Item> => {
      const item = await getEditable(tx, actor, id);
      const set = columnsOf(patched(item, fields));
      return change(tx, actor, item, set, { action: 'update', ...options });
    },

    /** Sets columns back to earlier values. Throws like `update`. */
    revert: async (
      tx: Tx,
      actor: Actor,
      id: number,
      columns: Partial<ItemRow>,
      options: ChangeOptions,
    ): Promise<Item> => {
      const item = await getEditable(tx, actor, id);
      return change(tx, actor, item, inNfc(columns), { ...options, action: 'revert' });
    },

    /** Moves an item to the bin, even over quota. Throws not_found, forbidden, version_mismatch. */
    remove: async (
      tx: Tx,
      actor: Actor,
      id: number,
      options: ChangeOptions = {},
    ): Promise<Item> => {
      const item = await getEditable(tx, actor, id);
      const set = { deleted_at: now().toISOString() };
      return change(tx, actor, item, set, { action: 'delete', ...options });
    },

    /** Restores an item from the bin. Throws not_found. */
    restore: async (tx: Tx, actor: Actor, id: number): Promise<Item> => {
      const item = await getBinned(tx, actor, id);
      return change(tx, actor, item, { deleted_at: null }, { action: 'restore' });
    },
  };
}

type Erased = Pick<Item, 'id' | 'owner_id' | 'version' | 'visibility' | 'deleted_at'>;

/**
 * Records that an item of a deleted account is gone, and notifies listeners after the commit.
 * Private and binned items need no event: no one else ever received one about them.
 */
export async function recordErasure(
  { publish, now }: Pick<ItemChangesDeps, 'publish' | 'now'>,
  tx: Tx,
  item: Erased,
): Promise<void> {
  if (!isListed(item)) return;
  const { id: item_id, owner_id, version } = item;
  const at = now().toISOString();
  await insertEvent(tx, { type: 'deleted', audience: 'all', item_id, owner_id, version, at });
  tx.afterCommit(publish);
}

/** Drops all cached responses that contain items, after the commit. */
export function invalidateItems({ cache }: Pick<ItemChangesDeps, 'cache'>, tx: Tx): void {
  tx.afterCommit(() => {
    cache.invalidate(ITEMS_TAG);
    cache.invalidate(POPULAR_TAG);
  });
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

/** The events of a change: an item that becomes private is deleted for others, and vice versa. */
function eventsOf(
  old: Item | undefined,
  item: Item,
): [audience: ItemEvent['audience'], type: ItemEvent['type']][] {
  const before = old && old.deleted_at === null ? old.visibility : undefined;
  const after = item.deleted_at === null ? item.visibility : undefined;
  if (before !== undefined && after !== undefined && before !== after) {
    return [
      ['owner', 'updated'],
      ['others', after === 'public' ? 'created' : 'deleted'],
    ];
  }
  const type = before === undefined ? 'created' : after === undefined ? 'deleted' : 'updated';
  return [[(after ?? before) === 'public' ? 'all' : 'owner', type]];
}

function isListed({ visibility, deleted_at }: Pick<Item, 'visibility' | 'deleted_at'>): boolean {
  return visibility === 'public' && deleted_at === null;
}

function patched(item: Item, fields: Partial<ItemFields>): Partial<ItemFields> {
  if (!fields.data) return fields;
  const data = mergePatch(JSON.parse(item.data), fields.data);
  if (Buffer.byteLength(JSON.stringify(data)) > MAX_DATA_BYTES) throw dataTooLarge();
  return { ...fields, data };
}

function dataTooLarge(): AppError {
  const msg = `Input should be at most ${MAX_DATA_BYTES} bytes of JSON`;
  const fields = [{ type: 'too_long', path: ['data'], msg }];
  return new AppError('validation_failed', 'The request is not valid', { fields });
}

function versionMismatch(version: number): AppError {
  return new AppError('version_mismatch', `The item has changed: its version is ${version}`);
}

function differing(item: Item, columns: Partial<ItemRow>): Partial<ItemRow> {
  const entries = Object.entries(columns).filter(
    ([key, value]) => Reflect.get(item, key) !== value,
  );
  return Object.fromEntries(entries);
}

function pick(item: Item, keys: string[]): Partial<ItemRow> {
  return Object.fromEntries(keys.map((key) => [key, Reflect.get(item, key)]));
}
