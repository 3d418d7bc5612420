import type { Actor } from '../core/actor.ts';
import { AppError } from '../core/exceptions.ts';

/** A service whose methods all take the actor as the first argument. */
type ActorFirst<T> = { [K in keyof T]: (actor: Actor, ...rest: never[]) => Promise<unknown> };

/** Throws forbidden unless the caller is an admin. */
export function requireAdmin({ role }: Pick<Actor, 'role'>): void {
  if (role !== 'admin') throw new AppError('forbidden', 'Not enough permissions');
}

/**
 * Wraps a service so that each method, including any added later, rejects with forbidden unless
 * the caller is an admin. Routes check the role too; this guards against a mistake there.
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
