import type { Deps } from '../../../core/deps.ts';
import { ItemIdParams } from '../../../schemas/items/items-v2.ts';
import { ItemStats, ItemStatsQuery } from '../../../schemas/items/views.ts';
import { openRoutes, optionalRoute } from '../../plugins/access-rules.ts';
import { SIGNED_IN, v2Errors } from '../responses.ts';

export const createItemStatsRoutes = ({ itemStats: service }: Pick<Deps, 'itemStats'>) =>
  openRoutes({ prefix: '/items', tags: ['items'] }).get(
    '/:item_id/stats',
    ({ actor, params, query: { window = 'week' } }) => service.get(actor, params.item_id, window),
    {
      params: ItemIdParams,
      query: ItemStatsQuery,
      response: { 200: ItemStats, ...v2Errors(...SIGNED_IN, 'not_found', 'validation_failed') },
      detail: optionalRoute('items:read', 'getItemStats', 'Read the view statistics of an item'),
    },
  );
