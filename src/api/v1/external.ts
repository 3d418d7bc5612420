import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { ExternalData, externalQuery } from '../../schemas/external.ts';
import { callerOf } from '../access.ts';
import { countAgainst } from '../rate-limit.ts';
import { v1Errors } from './responses.ts';

type ExternalDeps = Pick<Deps, 'external' | 'config' | 'limits'>;

export const external = ({ external: service, config, limits }: ExternalDeps) =>
  new Elysia({ prefix: '/external', tags: ['external'] }).get(
    '/',
    async ({ request, query, set }) => {
      const id = String(callerOf(request).id);
      await countAgainst(limits?.external, id, set);
      return service.fetchAll(query.url, { signal: request.signal, scope: `user ${id}` });
    },
    {
      query: externalQuery(config.externalMaxUrls),
      response: { 200: ExternalData, ...v1Errors(401, 403, 422, 502, 503) },
      detail: { operationId: 'fetchExternalData', summary: 'Fetch JSON from outside APIs at once' },
    },
  );
