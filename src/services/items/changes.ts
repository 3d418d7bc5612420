import { eq } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import {
  type ItemRevision,
  type ItemRow,
  itemRevisions,
  items,
  MAX_DATA_BYTES,
} from '../../models/index.ts';
import { mergePatch } from '../../utils/json/merge-patch.ts';
import { type Quotas, textBytes } from '../quotas.ts';
import { getBinned, getOwn } from './access.ts';
import { type AnnouncementsDeps, announce } from './announcements.ts';
import { dropOldRevisions } from './revision-rows.ts';
import { columnsOf, composed, type Item, type ItemFields, insertItem } from './rows.ts';
import { indexWords } from './search-index.ts';

/** What a change may demand and how it is noted. */
export interface ChangeOptions {
  /** The versions that the caller knows; another one is refused. */
  ifMatch?: readonly number[] | undefined;
  action?: ItemRevision['action'];
}

export interface ItemChangesDeps extends AnnouncementsDeps {
  quotas: Quotas;
  /** Changes that the history of an item keeps. */
  maxRevisions: number;
}

export type ItemChanges = ReturnType<typeof createItemChanges>;

/**
 * The one way in which items change: each in the caller's transaction, with its revision and its
 * events; the cache is invalidated and listeners are told after the commit.
 */
export const createItemChanges = (deps: ItemChangesDeps) => ({
  ...fieldChanges(deps),
  ...binChanges(deps),
});

const fieldChanges = (deps: ItemChangesDeps) => ({
  /** Throws quota_exceeded, storage_full. */
  create: async (tx: Tx, actor: Actor, fields: ItemFields): Promise<Item> => {
    const columns = columnsOf(fields) as Omit<ItemRow, 'id'>;
    await deps.quotas.admit(tx, actor, actor.id, { items: 1, bytes: textBytes(columns) });
    const row = { ...columns, owner_id: actor.id, now: deps.now().toISOString() };
    const item = { ...((await insertItem(tx, row))[0] as ItemRow), views: 0 };
    await indexWords(tx, item);
    await announce(deps, tx, undefined, item);
    return item;
  },

  /**
   * Changes what differs; `data` is a merge patch. Throws not_found, forbidden,
   * version_mismatch, quota_exceeded, storage_full, and validation_failed for data that grows too
   * large.
   */
  update: async (
    tx: Tx,
    actor: Actor,
    id: number,
    fields: Partial<ItemFields>,
    options: ChangeOptions = {},
  ): Promise<Item> => {
    const item = await getOwn(tx, actor, id);
    const set = columnsOf(patched(item, fields));
    return change(deps, tx, actor, item, set, { action: 'update', ...options });
  },

  /** Brings columns back to what they were. Throws as `update`. */
  revert: async (
    tx: Tx,
    actor: Actor,
    id: number,
    columns: Partial<ItemRow>,
    options: ChangeOptions,
  ): Promise<Item> =>
    change(deps, tx, actor, await getOwn(tx, actor, id), composed(columns), {
      ...options,
      action: 'revert',
    }),
});

const binChanges = (deps: ItemChangesDeps) => ({
  /** Puts an item into the bin, whatever the quotas. Throws not_found, forbidden, version_mismatch. */
  remove: async (tx: Tx, actor: Actor, id: number, options: ChangeOptions = {}): Promise<Item> => {
    const item = await getOwn(tx, actor, id);
    const set = { deleted_at: deps.now().toISOString() };
    return change(deps, tx, actor, item, set, { action: 'delete', ...options });
  },

  /** Takes an item out of the bin. Throws not_found. */
  restore: async (tx: Tx, actor: Actor, id: number): Promise<Item> => {
    const item = await getBinned(tx, actor, id);
    return change(deps, tx, actor, item, { deleted_at: null }, { action: 'restore' });
  },
});

async function change(
  deps: ItemChangesDeps,
  tx: Tx,
  actor: Actor,
  item: Item,
  columns: Partial<ItemRow>,
  { ifMatch, action }: ChangeOptions & { action: ItemRevision['action'] },
): Promise<Item> {
  if (ifMatch && !ifMatch.includes(item.version)) throw versionMismatch(item.version);
  const set = differing(item, columns);
  if (Object.keys(set).length === 0) return item;
  const at = deps.now().toISOString();
  const version = item.version + 1;
  const values = { ...set, version, updated_at: at };
  const old = pick(item, Object.keys(set));
  const before = JSON.stringify(old);
  if (action === 'update' || action === 'revert') {
    const bytes = textBytes(set) - textBytes(old) + Buffer.byteLength(before);
    await deps.quotas.admit(tx, actor, item.owner_id, { bytes });
  }
  await tx.orm.update(items).set(values).where(eq(items.id, item.id));
  const revision = { item_id: item.id, version, action, actor_id: actor.id, at, before };
  await tx.orm.insert(itemRevisions).values(revision);
  await dropOldRevisions(tx, item.id, version - deps.maxRevisions);
  const changed = { ...item, ...values };
  await indexWords(tx, changed, set);
  await announce(deps, tx, item, changed);
  return changed;
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
  return new AppError(
    'version_mismatch',
    `The item was changed meanwhile: its version is ${version}`,
  );
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
