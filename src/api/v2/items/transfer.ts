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
import { filtersOf, givenIn, refuse } from './list-query.ts';

const IMPORT_ITEMS_ERRORS = v2BodyErrors(...SIGNED_IN, 'quota_exceeded', 'inactive_user');

/** Items by the million, as lines. */
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
          ...userRoute('items:write', 'importItems', 'Make an item of each line'),
          body: { isStreamed: true, mediaTypes: ITEM_TYPES },
          description:
            'Reads the body as it comes. Good lines are written some hundred at a time and bad ones are counted: it is not atomic, and what was written before it ends early stays. A dry run says what would come of it. A body of `application/octet-stream`, or without a media type, is what `format` says, else JSON Lines.',
        },
      },
    )
    .get(
      '/export',
      ({ actor, request, query: { format = 'jsonl', scope = 'own' }, set }) => {
        const given = givenIn(request.url, ExportQuery);
        const filters = filtersOf(given, ITEM_FILTERS, actor.id);
        refuse(given);
        const ownerId = scope === 'own' ? actor.id : undefined;
        return outgoing(itemExport.lines({ format, ownerId, filters }), format, set);
      },
      {
        query: ExportQuery,
        response: { 200: ItemLines, ...v2Errors(...SIGNED_IN, 'validation_failed') },
        detail: {
          ...userRoute('items:read', 'exportItems', 'All items as lines, for an import'),
          responseTypes: [ITEM_MEDIA.jsonl[0], ...ITEM_MEDIA.csv],
          'x-parameters': filterParameters(ITEM_FILTERS),
          description:
            'By id, without those in the bin, each as it is when its turn comes. A connection that is cut before the end has not got them all.',
        },
      },
    );
};
