import type { AnyActor } from '../../../src/core/actor.ts';
import type { Definition, Row } from '../../../src/resources/declare/definition.ts';
import type { Document } from './model.ts';
import type { Identity } from './world.ts';

/** Returns the refusal of a caller who has not the level that the routes need; undefined if they have. */
function refusalOf(
  { name, read, write }: Definition,
  { actor, scopes }: Identity,
  action: 'read' | 'write' | 'own',
): number | undefined {
  const isOpen = action === 'read' && (read === 'public' || typeof read === 'function');
  if (actor.id === null) return isOpen ? undefined : 401;
  const scope = action === 'write' ? 'write' : 'read';
  if (scopes && !scopes.includes(`${name}:${scope}`)) return 403;
  const isAdminOnly = read === 'admin' || (action === 'write' && write === 'admin');
  return isAdminOnly && actor.role !== 'admin' ? 403 : undefined;
}

/** Returns the status of a list or another route that reads, if it succeeds with `success`. */
export function readStatus(definition: Definition, who: Identity, success = 200): number {
  return refusalOf(definition, who, 'read') ?? success;
}

/** Returns the status of a route that reads one row. */
export function getStatus(definition: Definition, who: Identity, row: Document): number {
  return refusalOf(definition, who, 'read') ?? (mayRead(definition, who.actor, row) ? 200 : 404);
}

/** Returns the status of a creation that is valid. */
export function createStatus(definition: Definition, who: Identity, row: Document): number {
  const refusal = refusalOf(definition, who, 'write');
  if (refusal !== undefined) return refusal;
  const own = { ...row, owner_id: who.actor.id as number };
  const { write } = definition;
  return typeof write !== 'function' || write(who.actor, stored(definition, own)) ? 201 : 403;
}

/** Returns the status of a change of a row that succeeds with `success`. */
export function changeStatus(
  definition: Definition,
  who: Identity,
  row: Document,
  success: number,
): number {
  const refusal = refusalOf(definition, who, 'write');
  if (refusal !== undefined) return refusal;
  if (!mayRead(definition, who.actor, row)) return 404;
  return mayWrite(definition, who.actor, row) ? success : 403;
}

/** Who may read a row that is not in the bin. */
export function mayRead(definition: Definition, actor: AnyActor, row: Document): boolean {
  const { read, hasVisibility } = definition;
  if (typeof read === 'function') return read(actor, stored(definition, row));
  const isOwn = actor.id !== null && row['owner_id'] === actor.id;
  if (hasVisibility) return row['visibility'] === 'public' || isOwn;
  if (read === 'owner') return isOwn;
  return read === 'public' || actor.id !== null;
}

function mayWrite(definition: Definition, actor: AnyActor, row: Document): boolean {
  const { write, hasVisibility } = definition;
  if (typeof write === 'function') return write(actor, stored(definition, row));
  if (write === 'user') return true;
  if (write === 'admin') return actor.role === 'admin';
  const isPublic = !hasVisibility || row['visibility'] === 'public';
  return row['owner_id'] === actor.id || (actor.role === 'admin' && isPublic);
}

/** A row as the table stores it, which rules expect. */
function stored({ fields }: Definition, row: Document): Row {
  const values = { ...row };
  for (const { name, kind } of fields) {
    const value = row[name];
    if (value === null || value === undefined) continue;
    if (kind === 'flag') values[name] = Number(value);
    if (kind === 'json' || kind === 'texts') values[name] = JSON.stringify(value);
  }
  return values as unknown as Row;
}
