import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import {
  SourceDefinition,
  SourceDefinitions,
  SourceNew,
  SourcesQuery,
} from '../../../schemas/sources/sources.ts';
import { accountRoutes, adminRoute } from '../../plugins/access-rules.ts';
import { SOURCE_BODY } from '../../request/body-rules.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { ADMIN, KEYED, v2BodyErrors, v2Errors } from '../responses.ts';

/** The sources, for admins: a list and the creation of one. */
export const createSourceRoutes = (deps: Pick<Deps, 'sources' | 'idempotency'>) => {
  const { sources: service } = deps;
  const once = createOnce(deps.idempotency);
  return accountRoutes({ prefix: '/sources', tags: ['sources'] })
    .get('', ({ actor, query }) => service.list(actor, query), {
      query: SourcesQuery,
      response: {
        200: SourceDefinitions,
        ...v2Errors(...ADMIN, 'invalid_cursor', 'validation_failed'),
      },
      detail: adminRoute('listSources', 'List the definitions of sources, ordered by name'),
    })
    .post(
      '',
      async ({ actor, body, request, set }) => {
        const source = await once(
          { actor, request, body: withoutSecrets(body), set },
          created,
          (onWritten) => service.create(actor, body, onWritten),
        );
        return status(201, source);
      },
      {
        body: SourceNew,
        response: {
          201: SourceDefinition,
          ...v2BodyErrors(...ADMIN, ...KEYED, 'conflict', 'secrets_unreadable'),
        },
        detail: {
          ...adminRoute('createSource', 'Define an outside API as a source'),
          takesKey: true,
          description: 'A repeat with the same Idempotency-Key may differ in its secrets.',
          body: SOURCE_BODY,
        },
      },
    );
};

function created(source: typeof SourceDefinition.static) {
  const location = `/api/v2/sources/${source.name}/definition`;
  return { status: 201, location, body: source };
}

/** The body for the comparison with a repeat: a fast hash of a secret must not be stored. */
function withoutSecrets({ query, headers, ...rest }: typeof SourceNew.static) {
  const namesOf = (fields: object = {}) =>
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value : null]);
  return { ...rest, query: namesOf(query), headers: namesOf(headers) };
}
