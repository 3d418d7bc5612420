import type { Deps } from '../../../core/deps.ts';
import { NoContent } from '../../../schemas/common.ts';
import { ItemDocument, ItemIdParams } from '../../../schemas/items/items-v2.ts';
import { accountRoutes, userRoute } from '../../plugins/access-rules.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { KEYED, SIGNED_IN, v2WriteErrors } from '../responses.ts';
import { restoredItem } from './document.ts';

const ERASE_ITEM_ERRORS = v2WriteErrors(
  ...SIGNED_IN,
  'forbidden',
  'not_found',
  'validation_failed',
);
const RESTORE_ITEM_ERRORS = v2WriteErrors(
  ...SIGNED_IN,
  ...KEYED,
  'forbidden',
  'not_found',
  'inactive_user',
  'validation_failed',
);

/** Restores and erases items in the bin. */
export const createItemBinRoutes = ({
  items: service,
  idempotency,
}: Pick<Deps, 'items' | 'idempotency'>) => {
  const once = createOnce(idempotency);
  return accountRoutes({ prefix: '/items', tags: ['items'] })
    .delete(
      '/:item_id/bin',
      async ({ actor, params, set }) => {
        await service.erase(actor, params.item_id);
        set.status = 204;
      },
      {
        params: ItemIdParams,
        response: { 204: NoContent, ...ERASE_ITEM_ERRORS },
        detail: userRoute('items:write', 'eraseItem', 'Erase one of your items in the bin'),
      },
    )
    .post(
      '/:item_id/restore',
      ({ actor, request, params, set }) =>
        once({ actor, request, set }, restoredItem, (onWritten) =>
          service.restore(actor, params.item_id, onWritten),
        ),
      {
        params: ItemIdParams,
        response: { 200: ItemDocument, ...RESTORE_ITEM_ERRORS },
        detail: {
          ...userRoute('items:write', 'restoreItem', 'Restore an item from the bin'),
          takesKey: true,
        },
      },
    );
};
