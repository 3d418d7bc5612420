import { filterParameters } from '../../../schemas/list-query.ts';
import { hasListedScope } from '../../../schemas/resources/transfer.ts';
import { LINE_MEDIA, LINE_TYPES, type LineFormat } from '../../request/media-types.ts';
import { createRowReader } from '../../request/row-reader.ts';
import { setReplayed, streamKeyOf } from '../../responses/idempotency.ts';
import { respondJson } from '../../responses/json.ts';
import { incoming, outgoing } from '../../responses/line-stream.ts';
import { KEYED } from '../responses.ts';
import { filtersOf, parseQuery, throwProblems } from './list-query.ts';
import type { Context, Route, Served } from './route.ts';

/** Imports and exports rows as JSON Lines or CSV. */
export function transferRoutes(resource: Served): Route[] {
  return [importRoute(resource), exportRoute(resource)];
}

const IMPORT_TEXT =
  'Processes the body as a stream. Valid lines are stored in batches of a few hundred and invalid ones are counted. It is not atomic: if an import ends early, the rows stored so far remain. A dry run only reports the result. A body of type `application/octet-stream`, or without a media type, has the format in `format`, by default JSON Lines.';
const KEY_TEXT =
  'With an Idempotency-Key, a repeat of an import that ended early skips the lines that are stored and continues after them; a repeat of a complete one returns its report. The lines up to there must be the same. A dry run ignores the key.';

function importRoute(resource: Served): Route {
  const { schemas, access, names, service, definition, deps } = resource;
  const { maxImportBytes: maxBytes, idleSeconds } = deps.config;
  const read = createRowReader(definition);
  return {
    method: 'POST',
    path: '/import',
    handler: async ({ actor, request, server, query, set }: Context) => {
      const { format, bytes } = incoming(request, query['format'] as LineFormat | undefined, {
        maxBytes,
        connection: { server, idleSeconds },
      });
      const isDryRun = query['dry_run'] === 'true';
      const keyed = isDryRun ? undefined : streamKeyOf({ actor, request }, 'import', format);
      const { report, isReplayed } = await service.transfer.import(actor, bytes, {
        format,
        isDryRun,
        read,
        signal: request.signal,
        keyed,
      });
      if (isReplayed) setReplayed(set);
      return respondJson(JSON.stringify(report), set);
    },
    body: schemas.Upload,
    query: schemas.ImportQuery,
    response: { 200: schemas.ImportReport, ...access.bodyErrors(...KEYED, 'inactive_user') },
    detail: {
      ...access.writes(`import${names.Many}`, `Create ${names.anyOne} from each line`),
      body: { isStreamed: true, mediaTypes: LINE_TYPES },
      takesKey: true,
      description: `${IMPORT_TEXT.replace('the rows', `the ${names.many}`)}\n\n${KEY_TEXT}`,
    },
  };
}

function exportRoute(resource: Served): Route {
  const { schemas, access, names, service, definition } = resource;
  const isBinned = definition.hasBin ? `, without ${names.many} in the bin` : '';
  return {
    method: 'GET',
    path: '/export',
    handler: ({ actor, request, query, set }: Context) => {
      const { format = 'jsonl', scope = 'own' } = query as Partial<Record<string, string>>;
      const parsed = parseQuery(request.url, schemas.ExportQuery);
      const filters = filtersOf(parsed, definition.filters, actor.id);
      throwProblems(parsed);
      const options = {
        actor,
        format: format as LineFormat,
        ownerId: scope === 'listed' && hasListedScope(definition) ? undefined : actor.id,
        filters,
      };
      const lines = service.transfer.export(options);
      return outgoing(lines, { name: definition.name, format: options.format }, set);
    },
    query: schemas.ExportQuery,
    response: { 200: schemas.Lines, ...access.readOwnErrors('validation_failed') },
    detail: {
      ...access.readsOwn(`export${names.Many}`, `Export ${names.many} as lines`),
      responseTypes: [LINE_MEDIA.jsonl[0], ...LINE_MEDIA.csv],
      'x-parameters': filterParameters(definition.filters),
      description: `Ordered by id${isBinned}, each in its state when it is read. A connection that closes early has not received all ${names.many}.`,
    },
  };
}
