import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { ItemViewed } from '../../schemas/item-views.ts';
import { ItemIdParams } from '../../schemas/items-v2.ts';
import { maybeCallerOf } from '../access.ts';
import { optionalRoute } from '../access-rules.ts';
import { createVia } from '../via.ts';
import { SIGNED_IN, v2WriteErrors } from './responses.ts';

export const itemViews = ({ itemViewing, config }: Pick<Deps, 'itemViewing' | 'config'>) => {
  const via = createVia({ config });
  return new Elysia({ prefix: '/items', tags: ['items'] }).post(
    '/:item_id/views',
    ({ request, server, set, params }) => {
      const caller = maybeCallerOf(request);
      const viewer = { ...via({ request, server, set }), user_id: caller?.id };
      return itemViewing.view(caller, params.item_id, viewer);
    },
    {
      params: ItemIdParams,
      response: {
        200: ItemViewed,
        ...v2WriteErrors(...SIGNED_IN, 'not_found', 'validation_failed'),
      },
      detail: optionalRoute(
        'items:read',
        'viewItem',
        'Count a view of an item, once in a while for each viewer',
      ),
    },
  );
};
