import type { PopularWindow } from '../../../services/resources/views/popular.ts';
import type { StatsWindow } from '../../../services/resources/views/stats.ts';
import { declare } from '../../plugins/access-rules.ts';
import { respondCachedText, respondJson } from '../../responses/json.ts';
import { v2Errors } from '../responses.ts';
import type { ListedRow } from './document.ts';
import { type Context, idOf, type Route, type Served } from './route.ts';

/** Counts views and shows their statistics. */
export function viewRoutes(resource: Served): Route[] {
  return [viewRoute(resource), statsRoute(resource), popularRoute(resource)];
}

function viewRoute(resource: Served): Route {
  const { schemas, access, names, service } = resource;
  const summary = `Count a view of ${names.anyOne}, once per viewer and time window`;
  return {
    method: 'POST',
    path: `${resource.rowPath}/views`,
    handler: async ({ actor, params, set }: Context) => {
      const { views, counted } = await service.views.count(actor, idOf(resource, params));
      return respondJson(JSON.stringify({ views, counted }), set);
    },
    params: schemas.Params,
    response: { 200: schemas.Viewed, ...access.countErrors('not_found', 'validation_failed') },
    detail: access.reads(`view${names.One}`, summary),
  };
}

function statsRoute(resource: Served): Route {
  const { schemas, access, names, service } = resource;
  return {
    method: 'GET',
    path: `${resource.rowPath}/stats`,
    handler: async ({ actor, params, query, set }: Context) => {
      // The schema of the query allows no other.
      const window = (query['window'] ?? 'week') as StatsWindow;
      const stats = await service.views.stats(actor, idOf(resource, params), window);
      return respondJson(JSON.stringify(stats), set);
    },
    params: schemas.Params,
    query: schemas.StatsQuery,
    response: { 200: schemas.Stats, ...access.readErrors('not_found', 'validation_failed') },
    detail: access.reads(`get${names.One}Stats`, `Read the view statistics of ${names.anyOne}`),
  };
}

/** The most viewed of the rows that all readers see: one cached response for everyone. */
function popularRoute(resource: Served): Route {
  const { schemas, access, names, service, definition, writer } = resource;
  const isPublic = definition.read === 'public';
  const id = `listPopular${names.Many}${definition.operationSuffix}`;
  const summary = `List the most viewed ${names.many}`;
  const encode = (rows: readonly ListedRow[]) => `{"data":[${rows.map(writer.write).join()}]}`;
  return {
    method: 'GET',
    path: '/popular',
    handler: async ({ query: { window = 'week', limit = 10 }, set }: Context) =>
      respondCachedText(await service.views.popular(window as PopularWindow, limit), set, encode),
    query: schemas.PopularQuery,
    response: {
      200: schemas.Popular,
      ...(isPublic ? v2Errors('validation_failed') : access.readErrors('validation_failed')),
    },
    detail: {
      ...(isPublic ? declare('public', undefined, id, summary) : access.reads(id, summary)),
      sends: ['X-Cache', 'Age'],
    },
  };
}
