import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { ExternalData, externalQuery } from '../../schemas/external.ts';
import { v1Errors } from './responses.ts';

export const external = ({ external: service, config }: Pick<Deps, 'external' | 'config'>) =>
  new Elysia({ prefix: '/external', tags: ['external'] }).get(
    '/',
    ({ request, query }) => service.fetchAll(query.url, { signal: request.signal }),
    {
      query: externalQuery(config.externalMaxUrls),
      response: { 200: ExternalData, ...v1Errors(401, 422, 502, 503) },
      detail: { operationId: 'fetchExternalData', summary: 'Fetch JSON from outside APIs at once' },
    },
  );
