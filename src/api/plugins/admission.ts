import { type AnyElysia, Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import { createEarlyRefusal } from './early-refusal.ts';
import { createIsProbe } from './routes.ts';

const RETRY_AFTER_SECONDS = 1;

/**
 * Refuses requests that there is no time for: overloaded, before anything is read or done for
 * them. Probes are always answered. When the setting is off it is not there at all.
 */
export const admission = (
  deps: Pick<Deps, 'admission' | 'config' | 'lifecycle'>,
  app: () => AnyElysia,
) => {
  const { admission: control } = deps;
  const plugin = new Elysia({ name: 'hutch-admission' });
  if (!control) return plugin;
  const isProbe = createIsProbe(app);
  const error = new AppError('overloaded', 'The server is overloaded, try again later', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
  const refuse = createEarlyRefusal(error, deps);
  const refuseInTime = (request: Request) => control.refusal(() => refuse(request));
  return plugin.wrap((next, request: Request) =>
    control.isOverloaded() && !isProbe(request) ? refuseInTime : next,
  );
};
