import { Elysia } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import { ItemPopularQuery, PopularItems } from '../../../schemas/items/views.ts';
import { publicRoute } from '../../plugins/access-rules.ts';
import { respondCached } from '../../responses/json.ts';
import { v2Errors } from '../responses.ts';
import { shownItem } from './document.ts';

export const createPopularItemRoutes = ({ popular }: Pick<Deps, 'popular'>) =>
  new Elysia({ prefix: '/items', tags: ['items'] }).get(
    '/popular',
    async ({ query: { window = 'week', limit = 10 }, set }) => {
      const found = await popular.list(window, limit);
      return respondCached(found, set, (items) => ({ data: items.map(shownItem) }));
    },
    {
      query: ItemPopularQuery,
      response: { 200: PopularItems, ...v2Errors('validation_failed') },
      detail: {
        ...publicRoute('listPopularItemsV2', 'List the most viewed items'),
        sends: ['X-Cache', 'Age'],
      },
    },
  );
