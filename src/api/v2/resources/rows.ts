import { NoContent } from '../../../schemas/common.ts';
import type { Values } from '../../../services/resources/values.ts';
import { rowBody } from '../../request/body-rules.ts';
import { isUnchanged, matchedVersions, notModified, setETag } from '../../responses/etag.ts';
import { createTextOnce } from '../../responses/idempotency.ts';
import { respondJson } from '../../responses/json.ts';
import { KEYED } from '../responses.ts';
import { type ListedRow, type Selection, shownHeaders } from './document.ts';
import { expandedOf } from './expand.ts';
import { parseQuery, selectionOf, throwProblems } from './list-query.ts';
import { type Context, idOf, type Route, type Served, shownRow } from './route.ts';

/** Creates a row. */
export function createRoute(resource: Served): Route {
  const { schemas, access, names, service, definition } = resource;
  const once = createTextOnce(resource.deps.idempotency);
  const toResponse = shownRow(resource, 201);
  const id = `create${names.One}${definition.operationSuffix}`;
  return {
    method: 'POST',
    path: '',
    handler: ({ actor, request, body, set }: Context<Values>) =>
      once({ actor, request, body, set }, toResponse, (onWritten) =>
        service.rows.create(actor, body, onWritten),
      ),
    body: schemas.New,
    response: { 201: schemas.Document, ...access.bodyErrors(...KEYED, 'inactive_user') },
    detail: {
      ...access.writes(id, `Create ${names.anyOne}`),
      takesKey: true,
      body: rowBody(definition.fields),
    },
  };
}

/** Reads a row. */
export function getRoute(resource: Served): Route {
  const { schemas, access, names, definition } = resource;
  const without = definition.hasViews ? ' without counting a view' : '';
  const id = `get${names.One}${definition.operationSuffix}`;
  return {
    method: 'GET',
    path: resource.rowPath,
    handler: ({ actor, request, params, set }: Context) =>
      readRow(resource, { actor, request, id: idOf(resource, params), set }),
    params: schemas.Params,
    query: schemas.RowQuery,
    response: {
      200: schemas.Shown,
      304: NoContent,
      ...access.readErrors('not_found', 'validation_failed'),
    },
    detail: { ...access.reads(id, `Read ${names.anyOne}${without}`), sparse: schemas.Sparse },
  };
}

type Reading = Pick<Context, 'actor' | 'request' | 'set'> & { id: number };

async function readRow(resource: Served, { actor, request, id, set }: Reading): Promise<unknown> {
  const { service, writer } = resource;
  const selection = selectionIn(resource, request);
  const isExpanded = selection.hasOwner || selection.relations.length > 0;
  if (request.headers.has('if-none-match') && !isExpanded) {
    const version = await service.rows.getVersion(actor, id);
    setETag(version, set);
    if (isUnchanged(version, request)) return notModified(set);
  }
  const row = (await service.rows.get(actor, id)) as ListedRow & { version: number };
  const owner_username = selection.hasOwner ? await ownerOf(resource, row) : null;
  const expanded = await expandedOf(resource, actor, row, selection);
  const shown = [...(selection.hasOwner ? [owner_username] : []), ...Object.values(expanded)];
  const beside = isExpanded ? shown.join() : undefined;
  setETag(row.version, set, beside);
  if (isUnchanged(row.version, request, beside)) return notModified(set);
  const text = writer.select(selection).write({ ...row, owner_username }, expanded);
  return respondJson(text, set, shownHeaders(selection));
}

/** Changes a row. */
export function updateRoute(resource: Served): Route {
  const { schemas, access, names, service, definition, writer } = resource;
  const id = `update${names.One}${definition.operationSuffix}`;
  return {
    method: 'PATCH',
    path: resource.rowPath,
    handler: async ({ actor, request, params, body, set }: Context<Values>) => {
      const ifMatch = matchedVersions(request);
      const row = await service.rows.update(actor, idOf(resource, params), body, { ifMatch });
      setETag(row.version, set);
      return respondJson(writer.write(row as ListedRow), set);
    },
    params: schemas.Params,
    body: schemas.Patch,
    response: {
      200: schemas.Document,
      ...access.bodyErrors(
        'forbidden',
        'not_found',
        'version_mismatch',
        'quota_exceeded',
        'inactive_user',
      ),
    },
    detail: {
      ...access.writes(id, `Change ${names.anyOne} (RFC 7396)`),
      body: rowBody(definition.fields),
    },
  };
}

/** Deletes a row, or moves it to the bin. */
export function deleteRoute(resource: Served): Route {
  const { schemas, access, names, service, definition, isReferenced } = resource;
  const summary = definition.hasBin
    ? `Move ${names.anyOne} to the bin`
    : `Delete ${names.anyOne} for good`;
  const mayBeReferenced = isReferenced && !definition.hasBin;
  return {
    method: 'DELETE',
    path: resource.rowPath,
    handler: async ({ actor, request, params, set }: Context) => {
      const ifMatch = matchedVersions(request);
      await service.rows.remove(actor, idOf(resource, params), { ifMatch });
      set.status = 204;
    },
    params: schemas.Params,
    response: {
      204: NoContent,
      ...access.writeErrors(
        'forbidden',
        'not_found',
        'version_mismatch',
        'validation_failed',
        ...(mayBeReferenced ? (['conflict'] as const) : []),
      ),
    },
    detail: access.writes(`delete${names.One}${definition.operationSuffix}`, summary),
  };
}

function selectionIn({ schemas, definition }: Served, { url }: Request): Selection {
  const parsed = parseQuery(url, schemas.RowQuery);
  const selection = selectionOf(parsed, definition);
  throwProblems(parsed);
  return selection;
}

async function ownerOf({ service }: Served, row: ListedRow): Promise<string | null> {
  return (await service.list.usernameOf(row['owner_id'] as number)) ?? null;
}
