import type { Session } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import { accessById, type Item, type ItemAccess, itemById } from './item-rows.ts';
import type { Caller } from './users.ts';

/** The item that the caller may see. Throws not_found: a private one of another is as none. */
export async function getVisible(
  session: Session,
  caller: Caller | undefined,
  id: number,
): Promise<Item> {
  const item = await findItem(session, id);
  if (!item || item.deleted_at !== null || !maySee(item, caller)) throw itemNotFound(id);
  return item;
}

/** What says who may see an item, if the caller may; reads nothing else. Throws not_found. */
export async function ensureVisible(
  session: Session,
  caller: Caller | undefined,
  id: number,
): Promise<ItemAccess> {
  const [item] = await accessById(session, { id });
  if (!item || item.deleted_at !== null || !maySee(item, caller)) throw itemNotFound(id);
  return item;
}

/** The version of an item that the caller may see. Throws not_found. */
export async function versionFor(
  session: Session,
  caller: Caller | undefined,
  id: number,
): Promise<number> {
  return (await ensureVisible(session, caller, id)).version;
}

/** The item that the caller may change: an own one; an admin's are all public ones. Throws not_found, forbidden. */
export async function getOwn(session: Session, caller: Caller, id: number): Promise<Item> {
  const item = await getVisible(session, caller, id);
  refuseOthers(item, caller);
  return item;
}

/** As `getOwn`, of what is in the bin. */
export async function getBinned(session: Session, caller: Caller, id: number): Promise<Item> {
  const item = await findItem(session, id);
  const isShown =
    item?.deleted_at != null && (item.owner_id === caller.id || isAdmins(item, caller));
  if (!item || !isShown) throw itemNotFound(id);
  return item;
}

/**
 * The item, in the bin too, for its owner alone: what it once was may have been private. Throws
 * not_found, forbidden.
 */
export async function getOwners(session: Session, caller: Caller, id: number): Promise<Item> {
  const item = await findItem(session, id);
  if (item?.owner_id === caller.id) return item;
  if (!item || item.deleted_at !== null || !maySee(item, caller)) throw itemNotFound(id);
  throw new AppError('forbidden', 'Not enough permissions');
}

async function findItem(session: Session, id: number): Promise<Item | undefined> {
  return (await itemById(session, { id }))[0];
}

export function itemNotFound(id: number): AppError {
  return new AppError('not_found', `Item ${id} not found`);
}

type Shown = Pick<Item, 'visibility' | 'owner_id'>;

/** Whether the caller may see an item that is not in the bin. */
export function maySee({ visibility, owner_id }: Shown, caller: Caller | undefined): boolean {
  return visibility === 'public' || owner_id === caller?.id;
}

function isAdmins({ visibility }: Item, { role }: Caller): boolean {
  return role === 'admin' && visibility === 'public';
}

function refuseOthers(item: Item, caller: Caller): void {
  if (item.owner_id === caller.id || isAdmins(item, caller)) return;
  throw new AppError('forbidden', 'Not enough permissions');
}
