import type { Actor, AnyActor } from '../../core/actor.ts';
import type { Session } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import { accessById, type Item, type ItemAccess, itemById } from './rows.ts';

/** The item, if the caller may see it. Throws not_found: someone else's private item counts as missing. */
export async function getVisible(session: Session, actor: AnyActor, id: number): Promise<Item> {
  return ensureShown(await findItem(session, id), actor, id);
}

/** The columns that decide who may see an item, if the caller may; reads nothing else. Throws not_found. */
export async function ensureVisible(
  session: Session,
  actor: AnyActor,
  id: number,
): Promise<ItemAccess> {
  return ensureShown((await accessById(session, { id }))[0], actor, id);
}

/** The version of an item that the caller may see. Throws not_found. */
export async function versionFor(session: Session, actor: AnyActor, id: number): Promise<number> {
  return (await ensureVisible(session, actor, id)).version;
}

/**
 * The item, if the caller may change it: their own or, for an admin, any public one. Throws
 * not_found, forbidden.
 */
export async function getEditable(session: Session, actor: Actor, id: number): Promise<Item> {
  const item = await getVisible(session, actor, id);
  if (!mayEdit(item, actor)) throw forbidden();
  return item;
}

/** The item in the bin, if the caller may change it. Throws not_found. */
export async function getBinned(session: Session, actor: Actor, id: number): Promise<Item> {
  const item = await findItem(session, id);
  if (!item || item.deleted_at === null || !mayEdit(item, actor)) throw itemNotFound(id);
  return item;
}

/**
 * The caller's own item, in the bin too. Admins have no access: earlier versions of a public item
 * may have been private. Throws not_found, forbidden.
 */
export async function getOwned(session: Session, actor: Actor, id: number): Promise<Item> {
  const item = await findItem(session, id);
  if (item?.owner_id === actor.id) return item;
  ensureShown(item, actor, id);
  throw forbidden();
}

async function findItem(session: Session, id: number): Promise<Item | undefined> {
  return (await itemById(session, { id }))[0];
}

export function itemNotFound(id: number): AppError {
  return new AppError('not_found', `Item ${id} not found`);
}

type Ownership = Pick<Item, 'visibility' | 'owner_id'>;

/** True if the caller may see an item that is not in the bin. */
export function maySee({ visibility, owner_id }: Ownership, actor: AnyActor): boolean {
  return visibility === 'public' || owner_id === actor.id;
}

function mayEdit({ visibility, owner_id }: Ownership, { id, role }: Actor): boolean {
  return owner_id === id || (role === 'admin' && visibility === 'public');
}

function ensureShown<T extends ItemAccess>(item: T | undefined, actor: AnyActor, id: number): T {
  if (!item || item.deleted_at !== null || !maySee(item, actor)) throw itemNotFound(id);
  return item;
}

function forbidden(): AppError {
  return new AppError('forbidden', 'Not enough permissions');
}
