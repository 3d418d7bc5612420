import type { TSchema } from '@sinclair/typebox';
import { type AnyElysia, Elysia } from 'elysia';
import { StartupError } from '../../../core/exceptions.ts';
import { pascal } from '../../../resources/declare/names.ts';
import { KEYED } from '../responses.ts';
import { refuseReach, refuseRouteHooks } from './custom-hooks.ts';
import type { Route, Served } from './route.ts';

/** A route as Elysia holds it before the plugin is used. */
type Added = AnyElysia['routes'][number];

const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** The paths of all options, also of those that a declaration does not set: clients know their meaning. */
const RESERVED = [
  'POST /batch',
  'GET /events',
  'GET /export',
  'POST /import',
  'GET /popular',
  'DELETE /:/bin',
  'POST /:/restore',
  'GET /:/revisions',
  'POST /:/revisions',
  'GET /:/stats',
  'POST /:/views',
];

/**
 * Returns the plugin of the routes that a declaration adds, with what they leave out: access, the names
 * in the document and the problems of v2. Throws StartupError for a route without a response schema
 * or in the place of another one, and for hooks that would reach beyond the routes.
 */
export function customRoutes(resource: Served, builtIn: readonly Route[]): AnyElysia | undefined {
  const { definition, service } = resource;
  if (!definition.routes) return undefined;
  const group = new Elysia({ prefix: `/${definition.name}`, tags: [definition.name] });
  // Derived, because all plugins share one object of decorations.
  const served = { service: service.user };
  const plugin = definition.routes(group.derive(() => served) as never);
  const fault = (what: string) =>
    new StartupError(`The routes of the resource ${definition.name} ${what}.`);
  refuseReach(plugin, fault);
  const taken = new Set([...RESERVED, ...builtIn.map(placeOf)]);
  for (const route of plugin.routes) {
    refuseRoute(resource, route, taken, fault);
    complete(resource, route);
  }
  return plugin;
}

type Fault = (what: string) => StartupError;

function refuseRoute({ definition }: Served, route: Added, taken: Set<string>, fault: Fault): void {
  const { method, hooks } = route;
  const name = `${method} ${route.path}`;
  const path = pathBelow(definition.name, route);
  const place = placeOf({ method, path });
  if (!METHODS.has(method)) throw fault(`have a method that is not supported: ${name}`);
  if (taken.has(place)) throw fault(`take the place of a route of the server: ${name}`);
  const [, first = ''] = path.split('/');
  if (first.startsWith(':') && first !== `:${definition.idParam}`) {
    throw fault(`must name the id of a row :${definition.idParam}: ${name}`);
  }
  if (hooks.response === undefined) throw fault(`have no response schema: ${name}`);
  refuseRouteHooks(hooks, name, fault);
}

/** Adds what the route does not declare. */
function complete(resource: Served, route: Added): void {
  const { access, definition } = resource;
  const { method, hooks } = route;
  const id = operationIdOf(resource, method, pathBelow(definition.name, route));
  const declare = method === 'GET' ? access.readsOwn : access.writes;
  const { needsAccount, ...declared } = declare(id, `${method} ${route.path}`);
  const isOpen = hooks.detail?.access !== undefined;
  hooks.detail = { ...declared, ...(!isOpen && { needsAccount }), ...hooks.detail };
  hooks.response = {
    ...access.bodyErrors(...KEYED, ...OF_SERVICES),
    ...responsesOf(hooks.response),
  };
}

/** Codes with which the service of a resource refuses. */
const OF_SERVICES = [
  'forbidden',
  'not_found',
  'conflict',
  'version_mismatch',
  'inactive_user',
] as const;

function responsesOf(declared: TSchema | Record<number, TSchema>): Record<number, TSchema> {
  const isMap = Object.keys(declared).every((key) => /^\d{3}$/.test(key));
  return isMap ? (declared as Record<number, TSchema>) : { 200: declared as TSchema };
}

function pathBelow(name: string, { path }: Added): string {
  return path.slice(name.length + 1);
}

/** Returns a route without the names of its parameters, which do not tell routes apart. */
function placeOf({ method, path }: { method: string; path: string }): string {
  return `${method} ${path.replace(/\/$/, '').replace(/:[^/]+/g, ':')}`;
}

/** Returns a name such as `postNotePin` for `POST /notes/:id/pin`. */
function operationIdOf({ names }: Served, method: string, path: string): string {
  const words = path.split('/').filter((part) => part !== '' && !part.startsWith(':'));
  const parts = words.map((word) => pascal(word.toLowerCase().replace(/\W+/g, '_')));
  return `${method.toLowerCase()}${names.One}${parts.join('')}`;
}
