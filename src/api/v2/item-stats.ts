import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { ItemStats, ItemStatsQuery } from '../../schemas/item-views.ts';
import { ItemIdParams } from '../../schemas/items-v2.ts';
import { maybeCallerOf } from '../access.ts';
import { optionalRoute } from '../access-rules.ts';
import { v2Errors } from './responses.ts';

export const itemStats = ({ itemStats: service }: Pick<Deps, 'itemStats'>) =>
  new Elysia({ prefix: '/items', tags: ['items'] }).get(
    '/:item_id/stats',
    ({ request, params, query: { window = 'week' } }) =>
      service.get(maybeCallerOf(request), params.item_id, window),
    {
      params: ItemIdParams,
      query: ItemStatsQuery,
      response: { 200: ItemStats, ...v2Errors(400, 401, 403, 404, 422) },
      detail: optionalRoute(
        'items:read',
        'getItemStats',
        'Read how often an item was viewed, and when',
      ),
    },
  );
