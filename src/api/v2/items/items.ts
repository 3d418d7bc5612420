import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import { NoContent } from '../../../schemas/common.ts';
import {
  ItemDocument,
  ItemIdParams,
  ItemNew,
  ItemShown,
  ItemSparse,
} from '../../../schemas/items/items-v2.ts';
import { ItemQuery } from '../../../schemas/items/list.ts';
import { openRoutes, optionalRoute, signedIn, userRoute } from '../../plugins/access-rules.ts';
import { ITEM_BODY } from '../../request/body-rules.ts';
import { isUnchanged, notModified, setETag } from '../../responses/etag.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { respondJson } from '../../responses/json.ts';
import { withDefaults } from '../../responses/new-item.ts';
import { KEYED, SIGNED_IN, v2BodyErrors, v2Errors } from '../responses.ts';
import { createdItem, itemWriter, shownHeaders } from './document.ts';
import { parseQuery, type Selection, selectionOf, throwProblems } from './list-query.ts';

const CREATE_ITEM_ERRORS = v2BodyErrors(...SIGNED_IN, ...KEYED, 'inactive_user');

const GET_ITEM_ERRORS = v2Errors(...SIGNED_IN, 'not_found', 'validation_failed');

const GET_ITEM_DETAIL = {
  ...optionalRoute('items:read', 'getItemV2', 'Read an item without counting a view'),
  sparse: ItemSparse,
};

type Served = Pick<Deps, 'items' | 'itemList' | 'idempotency'>;

export const createItemRoutes = ({ items: service, itemList, idempotency }: Served) => {
  const once = createOnce(idempotency);
  return openRoutes({ prefix: '/items', tags: ['items'] })
    .post(
      '',
      async ({ actor, request, body, set }) => {
        const item = await once({ actor, request, body, set }, createdItem, (onWritten) =>
          service.create(signedIn(actor), withDefaults(body), onWritten),
        );
        return status(201, item);
      },
      {
        body: ItemNew,
        response: { 201: ItemDocument, ...CREATE_ITEM_ERRORS },
        detail: {
          ...userRoute('items:write', 'createItemV2', 'Create an item'),
          takesKey: true,
          body: ITEM_BODY,
        },
      },
    )
    .get(
      '/:item_id',
      async ({ actor, request, params, set }) => {
        const shown = shownOf(request);
        if (request.headers.has('if-none-match') && !shown.hasOwner) {
          const version = await service.getVersion(actor, params.item_id);
          setETag(version, set);
          if (isUnchanged(version, request)) return notModified<typeof ItemShown.static>(set);
        }
        const item = await service.get(actor, params.item_id);
        const owner_username = shown.hasOwner
          ? await itemList.usernameOf(item.owner_id)
          : undefined;
        setETag(item.version, set, owner_username);
        if (isUnchanged(item.version, request, owner_username)) {
          return notModified<typeof ItemShown.static>(set);
        }
        const text = itemWriter(shown).write({ ...item, owner_username: owner_username ?? null });
        return respondJson<typeof ItemShown.static>(text, set, shownHeaders(shown));
      },
      {
        params: ItemIdParams,
        query: ItemQuery,
        response: { 200: ItemShown, 304: NoContent, ...GET_ITEM_ERRORS },
        detail: GET_ITEM_DETAIL,
      },
    );
};

function shownOf(request: Request): Selection {
  const parsed = parseQuery(request.url, ItemQuery);
  const shown = selectionOf(parsed);
  throwProblems(parsed);
  return shown;
}
