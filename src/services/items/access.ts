import type { Actor, AnyActor } from '../../core/actor.ts';
import type { Session } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import { accessById, type Item, type ItemAccess, itemById } from './rows.ts';

/** The item that the caller may see. Throws not_found: a private one of another is as none. */
export async function getVisible(session: Session, actor: AnyActor, id: number): Promise<Item> {
  const item = await findItem(session, id);
  if (!item || item.deleted_at !== null || !maySee(item, actor)) throw itemNotFound(id);
  return item;
}

/** What says who may see an item, if the caller may; reads nothing else. Throws not_found. */
export async function ensureVisible(
  session: Session,
  actor: AnyActor,
  id: number,
): Promise<ItemAccess> {
  const [item] = await accessById(session, { id });
  if (!item || item.deleted_at !== null || !maySee(item, actor)) throw itemNotFound(id);
  return item;
}

/** The version of an item that the caller may see. Throws not_found. */
export async function versionFor(session: Session, actor: AnyActor, id: number): Promise<number> {
  return (await ensureVisible(session, actor, id)).version;
}

/** The item that the caller may change: an own one; an admin's are all public ones. Throws not_found, forbidden. */
export async function getOwn(session: Session, actor: Actor, id: number): Promise<Item> {
  const item = await getVisible(session, actor, id);
  refuseOthers(item, actor);
  return item;
}

/** As `getOwn`, of what is in the bin. */
export async function getBinned(session: Session, actor: Actor, id: number): Promise<Item> {
  const item = await findItem(session, id);
  const isShown = item?.deleted_at != null && (item.owner_id === actor.id || isAdmins(item, actor));
  if (!item || !isShown) throw itemNotFound(id);
  return item;
}

/**
 * The item, in the bin too, for its owner alone: what it once was may have been private. Throws
 * not_found, forbidden.
 */
export async function getOwners(session: Session, actor: Actor, id: number): Promise<Item> {
  const item = await findItem(session, id);
  if (item?.owner_id === actor.id) return item;
  if (!item || item.deleted_at !== null || !maySee(item, actor)) throw itemNotFound(id);
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
export function maySee({ visibility, owner_id }: Shown, actor: AnyActor): boolean {
  return visibility === 'public' || owner_id === actor.id;
}

function isAdmins({ visibility }: Item, { role }: Actor): boolean {
  return role === 'admin' && visibility === 'public';
}

function refuseOthers(item: Item, actor: Actor): void {
  if (item.owner_id === actor.id || isAdmins(item, actor)) return;
  throw new AppError('forbidden', 'Not enough permissions');
}
