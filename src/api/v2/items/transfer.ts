import type { Deps } from '../../../core/deps.ts';
import { ITEM_FILTERS } from '../../../schemas/filters.ts';
import {
  ExportQuery,
  ImportQuery,
  ImportReport,
  ItemLines,
  ItemUpload,
} from '../../../schemas/items/transfer.ts';
import { filterParameters } from '../../../schemas/list-query.ts';
import { accountRoutes, userRoute } from '../../plugins/access-rules.ts';
import { ITEM_MEDIA, ITEM_TYPES } from '../../request/media-types.ts';
import { incoming, outgoing } from '../../responses/item-stream.ts';
import { createItemReader } from '../../responses/new-item.ts';
import { SIGNED_IN, v2BodyErrors, v2Errors } from '../responses.ts';
import { filtersOf, parseQuery, throwProblems } from './list-query.ts';

const IMPORT_ITEMS_ERRORS = v2BodyErrors(...SIGNED_IN, 'quota_exceeded', 'inactive_user');

/** Imports and exports items as JSON Lines or CSV. */
export const createItemTransferRoutes = ({
  itemImport,
  itemExport,
  config,
}: Pick<Deps, 'itemImport' | 'itemExport' | 'config'>) => {
  const read = createItemReader();
  return accountRoutes({ prefix: '/items', tags: ['items'] })
    .post(
      '/import',
      ({ actor, request, server, query }) => {
        const { format, bytes } = incoming(request, query.format, {
          maxBytes: config.maxImportBytes,
          connection: { server, idleSeconds: config.idleSeconds },
        });
        const isDryRun = query.dry_run === 'true';
        return itemImport.run(actor, bytes, {
          format,
          isDryRun,
          read,
          signal: request.signal,
        });
      },
      {
        body: ItemUpload,
        query: ImportQuery,
        response: { 200: ImportReport, ...IMPORT_ITEMS_ERRORS },
        detail: {
          ...userRoute('items:write', 'importItems', 'Create an item from each line'),
          body: { isStreamed: true, mediaTypes: ITEM_TYPES },
          description:
            'Processes the body as a stream. Valid lines are stored in batches of a few hundred and invalid ones are counted. It is not atomic: if an import ends early, the items stored so far remain. A dry run only reports the result. A body of type `application/octet-stream`, or without a media type, has the format in `format`, by default JSON Lines.',
        },
      },
    )
    .get(
      '/export',
      ({ actor, request, query: { format = 'jsonl', scope = 'own' }, set }) => {
        const parsed = parseQuery(request.url, ExportQuery);
        const filters = filtersOf(parsed, ITEM_FILTERS, actor.id);
        throwProblems(parsed);
        const ownerId = scope === 'own' ? actor.id : undefined;
        return outgoing(itemExport.lines({ format, ownerId, filters }), format, set);
      },
      {
        query: ExportQuery,
        response: { 200: ItemLines, ...v2Errors(...SIGNED_IN, 'validation_failed') },
        detail: {
          ...userRoute('items:read', 'exportItems', 'Export items as lines'),
          responseTypes: [ITEM_MEDIA.jsonl[0], ...ITEM_MEDIA.csv],
          'x-parameters': filterParameters(ITEM_FILTERS),
          description:
            'Ordered by id, without items in the bin, each in its state when it is read. A connection that closes early has not received all items.',
        },
      },
    );
};
