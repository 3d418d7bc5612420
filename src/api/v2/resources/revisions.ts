import type { RevisionInfo } from '../../../services/resources/history/revisions.ts';
import { matchedVersions } from '../../responses/etag.ts';
import { createTextOnce } from '../../responses/idempotency.ts';
import { respondJson } from '../../responses/json.ts';
import { KEYED } from '../responses.ts';
import { type Context, idOf, type Route, type Served, shownRow } from './route.ts';

/** Lists the changes of a row, and reverts it. */
export function revisionRoutes(resource: Served): Route[] {
  return [listRevisionsRoute(resource), revertRoute(resource)];
}

function listRevisionsRoute(resource: Served): Route {
  const { schemas, access, names, service } = resource;
  return {
    method: 'GET',
    path: `${resource.rowPath}/revisions`,
    handler: async ({ actor, params, query, set }: Context) => {
      const { data, page } = await service.revisions.list(actor, idOf(resource, params), query);
      const texts = data.map((revision) => revisionJson(resource, revision));
      return respondJson(`{"data":[${texts.join()}],"page":${JSON.stringify(page)}}`, set);
    },
    params: schemas.Params,
    query: schemas.RevisionsQuery,
    response: {
      200: schemas.Revisions,
      ...access.readOwnErrors('forbidden', 'not_found', 'invalid_cursor', 'validation_failed'),
    },
    detail: access.readsOwn(`list${names.One}Revisions`, `List the changes of ${names.anyOne}`),
  };
}

function revertRoute(resource: Served): Route {
  const { schemas, access, names, service } = resource;
  const once = createTextOnce(resource.deps.idempotency);
  const toResponse = shownRow(resource, 201);
  return {
    method: 'POST',
    path: `${resource.rowPath}/revisions`,
    handler: ({ actor, request, params, body, set }: Context<{ version: number }>) => {
      const ifMatch = matchedVersions(request);
      return once({ actor, request, body, set }, toResponse, (onWritten) =>
        service.revisions.revert(
          actor,
          idOf(resource, params),
          body.version,
          { ifMatch },
          onWritten,
        ),
      );
    },
    params: schemas.Params,
    body: schemas.Revert,
    response: {
      201: schemas.Document,
      ...access.bodyErrors(...KEYED, 'forbidden', 'not_found', 'version_mismatch', 'inactive_user'),
    },
    detail: {
      ...access.writes(`revert${names.One}`, `Revert ${names.anyOne} to an earlier version`),
      takesKey: true,
    },
  };
}

/** Encodes a revision, with stored JSON copied. */
function revisionJson({ writer }: Served, { changes, ...rest }: RevisionInfo): string {
  const parts = Object.entries(changes).map(
    ([name, { from, to }]) =>
      `"${name}":{"from":${writer.encode(name, from)},"to":${writer.encode(name, to)}}`,
  );
  return `${JSON.stringify(rest).slice(0, -1)},"changes":{${parts.join()}}}`;
}
