import { Elysia, status } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { NoContent } from '../../schemas/accounts.ts';
import { ItemDocument, ItemIdParams, ItemNew } from '../../schemas/items-v2.ts';
import { callerOf, maybeCallerOf } from '../access.ts';
import { isKnown, notModified, tell } from '../etag.ts';
import { createOnce, takesKey } from '../idempotency.ts';
import { withDefaults } from '../new-item.ts';
import { createdItem, shownItem } from './item-document.ts';
import { v2BodyErrors, v2Errors } from './responses.ts';

export const items = ({ items: service, idempotency }: Pick<Deps, 'items' | 'idempotency'>) => {
  const once = createOnce(idempotency);
  return new Elysia({ prefix: '/items', tags: ['items'] })
    .post(
      '',
      async ({ request, body, set }) => {
        const item = await once({ request, body, set }, createdItem, (onWritten) =>
          service.create(callerOf(request), withDefaults(body), onWritten),
        );
        return status(201, item);
      },
      {
        body: ItemNew,
        response: { 201: ItemDocument, ...v2BodyErrors(401, 403, 409) },
        detail: { operationId: 'createItemV2', summary: 'Create an item', ...takesKey },
      },
    )
    .get(
      '/:item_id',
      async ({ request, params, set }) => {
        const caller = maybeCallerOf(request);
        if (request.headers.has('if-none-match')) {
          const version = await service.getVersion(caller, params.item_id);
          tell(version, set);
          if (isKnown(version, request)) return notModified<typeof ItemDocument.static>(set);
        }
        const item = await service.get(caller, params.item_id);
        tell(item.version, set);
        return shownItem(item);
      },
      {
        params: ItemIdParams,
        response: { 200: ItemDocument, 304: NoContent, ...v2Errors(401, 403, 404, 422) },
        detail: { operationId: 'getItemV2', summary: 'Read an item; this counts no view' },
      },
    );
};
