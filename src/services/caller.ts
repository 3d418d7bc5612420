import { AppError } from '../core/exceptions.ts';
import type { User } from '../models/index.ts';

/** Who asks: an account with its role, as read for this request. */
export type Caller = Pick<User, 'id' | 'role'>;

/** A service whose every method takes the caller first. */
type CallerFirst<T> = { [K in keyof T]: (caller: Caller, ...rest: never[]) => Promise<unknown> };

/** Throws forbidden unless the caller is an admin. */
export function requireAdmin({ role }: Pick<Caller, 'role'>): void {
  if (role !== 'admin') throw new AppError('forbidden', 'Not enough permissions');
}

/**
 * The same service, for admins: each method, one added later too, rejects with forbidden for any
 * other caller. Routes check the role as well; a mistake there must not be enough.
 */
export function adminsOnly<T extends CallerFirst<T>>(service: T): T {
  const methods = Object.entries<CallerFirst<T>[keyof T]>(service).map(([name, method]) => {
    const guarded = async (caller: Caller, ...rest: never[]) => {
      requireAdmin(caller);
      return method(caller, ...rest);
    };
    return [name, guarded];
  });
  return Object.fromEntries(methods) as T;
}
