import { type AnyElysia, Elysia } from 'elysia';
import type { Actor } from '../../../core/actor.ts';
import type { Deps } from '../../../core/deps.ts';
import { AppError } from '../../../core/exceptions.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { namesOf } from '../../../resources/declare/words.ts';
import { schemasOf } from '../../../schemas/resources/index.ts';
import { accessOf } from './access.ts';
import { batchRoute } from './batch.ts';
import { binRoutes } from './bin.ts';
import { customRoutes } from './custom.ts';
import { createRowWriter, type ListedRow } from './document.ts';
import { eventsRoute } from './events.ts';
import { listRoute } from './list.ts';
import { revisionRoutes } from './revisions.ts';
import type { Route, Served } from './route.ts';
import { createRoute, deleteRoute, getRoute, updateRoute } from './rows.ts';
import { servicesOf } from './services.ts';
import { transferRoutes } from './transfer.ts';
import { viewRoutes } from './views.ts';

/** Creates the routes of all resources. Throws StartupError for a wrong route of a declaration. */
export function mount(deps: Deps): AnyElysia {
  const { definitions } = deps;
  const served = new Map<string, Served>();
  const find = (name: string) => served.get(name);
  for (const definition of definitions) {
    served.set(definition.name, serve(deps, definition, definitions, find));
  }
  return new Elysia({ name: 'hutch-resources' }).use(
    [...served.values()].flatMap((resource) => pluginsOf(resource)),
  );
}

function serve(
  deps: Deps,
  definition: Definition,
  all: readonly Definition[],
  find: (name: string) => Served | undefined,
): Served {
  return {
    definition,
    path: `/api/v2/${definition.name}`,
    rowPath: `/:${definition.idParam}`,
    names: namesOf(definition),
    schemas: schemasOf(definition),
    access: accessOf(definition),
    writer: createRowWriter(definition),
    service: servicesOf(deps, definition),
    expand: (name, actor, id) => expand(find(name), actor, id),
    isReferenced: all.some((other) => restricts(other, definition)),
    deps,
  };
}

function restricts({ fields }: Definition, definition: Definition): boolean {
  return fields.some(
    ({ ref }) => ref?.onDelete === 'restrict' && ref.to().name === definition.name,
  );
}

async function expand(
  resource: Served | undefined,
  actor: Actor,
  id: number | null,
): Promise<string> {
  if (!resource || id === null) return 'null';
  try {
    return resource.writer.write((await resource.service.rows.get(actor, id)) as ListedRow);
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') return 'null';
    throw error;
  }
}

/** Returns the routes of a resource, and those that its declaration adds. */
function pluginsOf(resource: Served): AnyElysia[] {
  const { name } = resource.definition;
  const routes = routesOf(resource);
  const plugin: AnyElysia = new Elysia({ prefix: `/${name}`, tags: [name] });
  for (const { method, path, handler, ...hooks } of routes) {
    plugin.route(method, path, handler as never, hooks as never);
  }
  const custom = customRoutes(resource, routes);
  return custom ? [plugin, custom] : [plugin];
}

function routesOf(resource: Served): Route[] {
  const { hasBin, hasHistory, hasEvents, hasBatch, hasTransfer, hasViews } = resource.definition;
  return [
    createRoute(resource),
    listRoute(resource),
    getRoute(resource),
    updateRoute(resource),
    deleteRoute(resource),
    ...(hasBin ? binRoutes(resource) : []),
    ...(hasViews ? viewRoutes(resource) : []),
    ...(hasHistory ? revisionRoutes(resource) : []),
    ...(hasEvents ? [eventsRoute(resource)] : []),
    ...(hasBatch ? [batchRoute(resource)] : []),
    ...(hasTransfer ? transferRoutes(resource) : []),
  ];
}
