import { Elysia, status } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import {
  SourceDefinition,
  SourceDefinitions,
  SourceNew,
  SourcesQuery,
} from '../../schemas/sources.ts';
import { callerOf } from '../access.ts';
import { adminRoute } from '../access-rules.ts';
import { SOURCE_BODY } from '../body-rules.ts';
import { tell } from '../etag.ts';
import { createVia } from '../via.ts';
import { ADMIN, v2BodyErrors, v2Errors } from './responses.ts';

/** The outside APIs, as admins find and define them. */
export const sources = (deps: Pick<Deps, 'sources' | 'config'>) => {
  const { sources: service } = deps;
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/sources', tags: ['sources'] })
    .get('', ({ request, query }) => service.list(callerOf(request), query), {
      query: SourcesQuery,
      response: {
        200: SourceDefinitions,
        ...v2Errors(...ADMIN, 'invalid_cursor', 'validation_failed'),
      },
      detail: adminRoute('listSources', 'List the definitions of sources by name'),
    })
    .post(
      '',
      async ({ body, request, server, set }) => {
        const via = viaOf({ request, server, set });
        const source = await service.create(callerOf(request), body, via);
        set.headers['location'] = `/api/v2/sources/${source.name}/definition`;
        tell(source.version, set);
        return status(201, source);
      },
      {
        body: SourceNew,
        response: {
          201: SourceDefinition,
          ...v2BodyErrors(...ADMIN, 'conflict', 'secrets_unreadable'),
        },
        detail: {
          ...adminRoute('createSource', 'Define an outside API to be called'),
          body: SOURCE_BODY,
        },
      },
    );
};
