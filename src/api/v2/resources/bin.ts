import { NoContent } from '../../../schemas/common.ts';
import { createTextOnce } from '../../responses/idempotency.ts';
import { KEYED } from '../responses.ts';
import { type Context, idOf, type Route, type Served, shownRow } from './route.ts';

/** Restores and erases rows in the bin. */
export function binRoutes(resource: Served): Route[] {
  return [eraseRoute(resource), restoreRoute(resource)];
}

function eraseRoute(resource: Served): Route {
  const { schemas, access, names, service, isReferenced } = resource;
  return {
    method: 'DELETE',
    path: `${resource.rowPath}/bin`,
    handler: async ({ actor, params, set }: Context) => {
      await service.rows.erase(actor, idOf(resource, params));
      set.status = 204;
    },
    params: schemas.Params,
    response: {
      204: NoContent,
      ...access.writeErrors(
        'forbidden',
        'not_found',
        'validation_failed',
        ...(isReferenced ? (['conflict'] as const) : []),
      ),
    },
    detail: access.writes(`erase${names.One}`, `Erase one of your ${names.many} in the bin`),
  };
}

function restoreRoute(resource: Served): Route {
  const { schemas, access, names, service } = resource;
  const once = createTextOnce(resource.deps.idempotency);
  const toResponse = shownRow(resource, 200);
  return {
    method: 'POST',
    path: `${resource.rowPath}/restore`,
    handler: ({ actor, request, params, set }: Context) =>
      once({ actor, request, set }, toResponse, (onWritten) =>
        service.rows.restore(actor, idOf(resource, params), onWritten),
      ),
    params: schemas.Params,
    response: {
      200: schemas.Document,
      ...access.writeErrors(
        ...KEYED,
        'forbidden',
        'not_found',
        'inactive_user',
        'validation_failed',
      ),
    },
    detail: {
      ...access.writes(`restore${names.One}`, `Restore ${names.anyOne} from the bin`),
      takesKey: true,
    },
  };
}
