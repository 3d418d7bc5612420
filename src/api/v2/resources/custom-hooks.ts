import type { AnyElysia } from 'elysia';
import type { StartupError } from '../../../core/exceptions.ts';

/** Creates the error for routes that do something. */
type Fault = (what: string) => StartupError;

/** Events in which a plugin would replace what the server does. */
const OF_SERVER = ['request', 'parse', 'error', 'trace', 'start', 'stop'] as const;

/**
 * Throws if a plugin does more than add routes: if it replaces a hook of the server, such as the one
 * that answers errors, or changes the context of all routes.
 */
export function refuseReach(plugin: AnyElysia, fault: Fault): void {
  const events = plugin.event as unknown as Record<string, Hook[] | undefined>;
  const replaced = OF_SERVER.find((name) => hooksIn(events[name]).length > 0);
  if (replaced) throw fault(`have a hook of the event ${replaced}, which is the server's`);
  const [shared] =
    Object.entries(events).find(([, hooks]) =>
      hooksIn(hooks).some(({ scope }) => scope === 'global' || scope === 'scoped'),
    ) ?? [];
  if (shared) throw fault(`have a hook of the event ${shared} that applies to other routes`);
  const { singleton } = plugin as unknown as { singleton: Record<'decorator' | 'store', object> };
  const names = [...Object.keys(singleton.decorator), ...Object.keys(singleton.store)];
  if (names.length > 0) {
    throw fault(`decorate the context of all routes with ${names.join(', ')}; use derive instead`);
  }
}

interface Hook {
  scope?: string;
}

/** Throws if a route replaces a hook of the server. */
export function refuseRouteHooks(
  hooks: Record<string, unknown>,
  route: string,
  fault: Fault,
): void {
  const replaced = ['parse', 'error'].find((name) => hooksIn(hooks[name]).length > 0);
  if (replaced)
    throw fault(`have a hook of the event ${replaced}, which is the server's: ${route}`);
}

function hooksIn(hooks: unknown): Hook[] {
  return ([hooks ?? []] as Hook[]).flat();
}
