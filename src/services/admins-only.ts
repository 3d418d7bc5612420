import type { Actor } from '../core/actor.ts';
import { AppError } from '../core/exceptions.ts';

/** A service whose every method takes the actor first. */
type ActorFirst<T> = { [K in keyof T]: (actor: Actor, ...rest: never[]) => Promise<unknown> };

/** Throws forbidden unless the caller is an admin. */
export function requireAdmin({ role }: Pick<Actor, 'role'>): void {
  if (role !== 'admin') throw new AppError('forbidden', 'Not enough permissions');
}

/**
 * The same service, for admins: each method, one added later too, rejects with forbidden for any
 * other caller. Routes check the role as well; a mistake there must not be enough.
 */
export function adminsOnly<T extends ActorFirst<T>>(service: T): T {
  const methods = Object.entries<ActorFirst<T>[keyof T]>(service).map(([name, method]) => {
    const guarded = async (actor: Actor, ...rest: never[]) => {
      requireAdmin(actor);
      return method(actor, ...rest);
    };
    return [name, guarded];
  });
  return Object.fromEntries(methods) as T;
}
