import type { Deps } from '../../../core/deps.ts';
import { ItemIdParams } from '../../../schemas/items/items-v2.ts';
import { ItemViewed } from '../../../schemas/items/views.ts';
import { openRoutes, optionalRoute } from '../../plugins/access-rules.ts';
import { SIGNED_IN, v2WriteErrors } from '../responses.ts';

export const createItemViewRoutes = ({ viewCounter }: Pick<Deps, 'viewCounter'>) =>
  openRoutes({ prefix: '/items', tags: ['items'] }).post(
    '/:item_id/views',
    ({ actor, params }) => viewCounter.count(actor, params.item_id),
    {
      params: ItemIdParams,
      response: {
        200: ItemViewed,
        ...v2WriteErrors(...SIGNED_IN, 'not_found', 'validation_failed'),
      },
      detail: optionalRoute(
        'items:read',
        'viewItem',
        'Count a view of an item, once per viewer and time window',
      ),
    },
  );
