import type { Deps } from '../../core/deps.ts';
import { ExternalData, externalQuery } from '../../schemas/sources/external.ts';
import { accountRoutes, userRoute } from '../plugins/access-rules.ts';
import { createExternalLimit } from '../plugins/rate-limit.ts';
import { v1Errors } from './responses.ts';

type ExternalDeps = Pick<Deps, 'external' | 'config' | 'limits'>;

export const createExternalRoutes = (deps: ExternalDeps) => {
  const { external: service, config } = deps;
  const countCalls = createExternalLimit(deps);
  return accountRoutes({ prefix: '/external', tags: ['external'] }).get(
    '/',
    async ({ actor, request, server, query, set }) => {
      const { id } = actor;
      await countCalls({ request, server, set }, id, query.url.length);
      return service.fetchAll(query.url, { signal: request.signal, owner: `user ${id}` });
    },
    {
      query: externalQuery(config.externalMaxUrls),
      response: { 200: ExternalData, ...v1Errors([401, 403, 422, 502]) },
      detail: userRoute(
        'external:read',
        'fetchExternalData',
        'Fetch JSON from outside APIs at once',
      ),
    },
  );
};
