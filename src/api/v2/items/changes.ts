import type { Deps } from '../../../core/deps.ts';
import { NoContent } from '../../../schemas/common.ts';
import { ItemDocument, ItemIdParams, ItemPatch } from '../../../schemas/items/items-v2.ts';
import { accountRoutes, userRoute } from '../../plugins/access-rules.ts';
import { ITEM_BODY } from '../../request/body-rules.ts';
import { matchedVersions, setETag } from '../../responses/etag.ts';
import { SIGNED_IN, v2BodyErrors, v2WriteErrors } from '../responses.ts';
import { shownItem } from './document.ts';

const UPDATE_ITEM_ERRORS = v2BodyErrors(
  ...SIGNED_IN,
  'forbidden',
  'not_found',
  'version_mismatch',
  'quota_exceeded',
  'inactive_user',
);
const DELETE_ITEM_ERRORS = v2WriteErrors(
  ...SIGNED_IN,
  'forbidden',
  'not_found',
  'version_mismatch',
  'validation_failed',
);

/** Changes and deletes items. */
export const createItemChangeRoutes = ({ items: service }: Pick<Deps, 'items'>) =>
  accountRoutes({ prefix: '/items', tags: ['items'] })
    .patch(
      '/:item_id',
      async ({ actor, request, params, body, set }) => {
        const ifMatch = matchedVersions(request);
        const item = await service.update(actor, params.item_id, body, { ifMatch });
        setETag(item.version, set);
        return shownItem(item);
      },
      {
        params: ItemIdParams,
        body: ItemPatch,
        response: { 200: ItemDocument, ...UPDATE_ITEM_ERRORS },
        detail: {
          ...userRoute('items:write', 'updateItemV2', 'Change an item (RFC 7396)'),
          body: ITEM_BODY,
        },
      },
    )
    .delete(
      '/:item_id',
      async ({ actor, request, params, set }) => {
        const ifMatch = matchedVersions(request);
        await service.remove(actor, params.item_id, { ifMatch });
        set.status = 204;
      },
      {
        params: ItemIdParams,
        response: { 204: NoContent, ...DELETE_ITEM_ERRORS },
        detail: userRoute('items:write', 'deleteItemV2', 'Move an item to the bin'),
      },
    );
