import type { Deps } from '../../../core/deps.ts';
import { AppError } from '../../../core/exceptions.ts';
import {
  OpenQuery,
  SourceData,
  SourceFetch,
  SourceResults,
} from '../../../schemas/sources/calls.ts';
import { SourceName } from '../../../schemas/sources/sources.ts';
import { openRoutes, optionalRoute, signedIn, userRoute } from '../../plugins/access-rules.ts';
import { createExternalLimit } from '../../plugins/rate-limit.ts';
import { SOURCE_BODY } from '../../request/body-rules.ts';
import { sentQuery } from '../../request/parameters.ts';
import { respondSource } from '../../responses/source-response.ts';
import { SIGNED_IN, v2BodyErrors, v2Errors } from '../responses.ts';

const CALL_SOURCE_ERRORS = v2Errors(
  ...SIGNED_IN,
  'not_found',
  'validation_failed',
  'upstream_failed',
  'upstream_timeout',
  'circuit_open',
  'secrets_unreadable',
);

type CallDeps = Pick<Deps, 'sourceCalls' | 'sourceFetch' | 'config' | 'limits'>;

/** Calls of sources by name, and of several sources or URLs at once. */
export const createSourceCallRoutes = (deps: CallDeps) => {
  const { sourceCalls: calls, sourceFetch } = deps;
  const countCalls = createExternalLimit(deps);
  return openRoutes({ prefix: '/sources', tags: ['sources'] })
    .get(
      '/:name',
      async ({ actor, params, request, server, set }) => {
        await countCalls({ request, server, set }, actor.id);
        const call = {
          parameters: parametersOf(request),
          format: 'text',
          headers: request.headers,
          // Creating a signal costs more than a cached response, so it is created only when needed.
          signal: () => request.signal,
        } as const;
        return respondSource(await calls.call(actor, params.name, call), set);
      },
      {
        params: SourceName,
        query: OpenQuery,
        response: { 200: SourceData, ...CALL_SOURCE_ERRORS },
        detail: {
          ...optionalRoute('*', 'callSource', 'Call a source with its parameters in the query'),
          sends: ['X-Cache', 'Age', 'X-Source-Status'],
        },
      },
    )
    .post(
      '/fetch',
      async ({ actor, body, request, server, set }) => {
        const account = signedIn(actor);
        const requested = body.calls.map(callOf);
        await countCalls({ request, server, set }, account.id, requested.length);
        return { results: await sourceFetch.fetchAll(account, requested, request) };
      },
      {
        body: SourceFetch,
        response: { 200: SourceResults, ...v2BodyErrors(...SIGNED_IN) },
        detail: {
          ...userRoute('external:read', 'fetchSources', 'Call several sources or URLs at once'),
          description: 'Each call has its own result.',
          body: SOURCE_BODY,
        },
      },
    );
};

/** The query parameters as they were sent. */
function parametersOf({ url }: Request): Record<string, string> {
  return Object.fromEntries(sentQuery(url));
}

type Call = (typeof SourceFetch.static)['calls'][number];

/** Throws validation_failed unless it is either a source or a URL. */
function callOf({ source, params, url }: Call, index: number) {
  if (source !== undefined && url === undefined) return { source, params };
  if (url !== undefined && source === undefined && params === undefined) return { url };
  const msg = 'Input should be a source with its params, or a url';
  const problems = [{ type: 'value_error', loc: ['body', 'calls', index], msg }];
  throw new AppError('validation_failed', 'The request is not valid', { problems });
}
