import type { Deps } from '../../../core/deps.ts';
import { NoContent } from '../../../schemas/common.ts';
import { SourceDefinition, SourceName, SourcePatch } from '../../../schemas/sources/sources.ts';
import { accountRoutes, adminRoute } from '../../plugins/access-rules.ts';
import { SOURCE_BODY } from '../../request/body-rules.ts';
import { isUnchanged, matchedVersions, notModified, setETag } from '../../responses/etag.ts';
import { ADMIN, v2BodyErrors, v2Errors, v2WriteErrors } from '../responses.ts';

const GET_SOURCE_ERRORS = v2Errors(...ADMIN, 'not_found', 'validation_failed');
const UPDATE_SOURCE_ERRORS = v2BodyErrors(
  ...ADMIN,
  'not_found',
  'conflict',
  'version_mismatch',
  'secrets_unreadable',
);
const DELETE_SOURCE_ERRORS = v2WriteErrors(
  ...ADMIN,
  'not_found',
  'version_mismatch',
  'validation_failed',
);

/** The definition of one source, for admins. */
export const createSourceDefinitionRoutes = (deps: Pick<Deps, 'sources'>) => {
  const { sources: service } = deps;
  return accountRoutes({ prefix: '/sources/:name', tags: ['sources'] })
    .get(
      '/definition',
      async ({ actor, params, request, set }) => {
        const source = await service.get(actor, params.name);
        setETag(source.version, set);
        if (isUnchanged(source.version, request)) {
          return notModified<typeof SourceDefinition.static>(set);
        }
        return source;
      },
      {
        params: SourceName,
        response: { 200: SourceDefinition, 304: NoContent, ...GET_SOURCE_ERRORS },
        detail: adminRoute('getSource', 'Read the definition of a source'),
      },
    )
    .patch(
      '',
      async ({ actor, params, body, request, set }) => {
        const ifMatch = matchedVersions(request);
        const source = await service.update(actor, params.name, body, ifMatch);
        setETag(source.version, set);
        return source;
      },
      {
        params: SourceName,
        body: SourcePatch,
        response: { 200: SourceDefinition, ...UPDATE_SOURCE_ERRORS },
        detail: { ...adminRoute('updateSource', 'Change a source (RFC 7396)'), body: SOURCE_BODY },
      },
    )
    .delete(
      '',
      async ({ actor, params, request, set }) => {
        await service.remove(actor, params.name, matchedVersions(request));
        set.status = 204;
      },
      {
        params: SourceName,
        response: { 204: NoContent, ...DELETE_SOURCE_ERRORS },
        detail: adminRoute('deleteSource', 'Delete a source and its statistics'),
      },
    );
};
