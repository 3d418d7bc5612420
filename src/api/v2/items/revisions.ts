import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import { ItemDocument, ItemIdParams } from '../../../schemas/items/items-v2.ts';
import { ItemRevert, ItemRevisions, ItemRevisionsQuery } from '../../../schemas/items/revisions.ts';
import type { ItemRevisionInfo } from '../../../services/items/index.ts';
import type { Item } from '../../../services/items/rows.ts';
import { accountRoutes, userRoute } from '../../plugins/access-rules.ts';
import { matchedVersions } from '../../responses/etag.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { KEYED, SIGNED_IN, v2BodyErrors, v2Errors } from '../responses.ts';
import { shownItem } from './document.ts';

const LIST_ITEM_REVISIONS_ERRORS = v2Errors(
  ...SIGNED_IN,
  'forbidden',
  'not_found',
  'invalid_cursor',
  'validation_failed',
);
const REVERT_ITEM_ERRORS = v2BodyErrors(
  ...SIGNED_IN,
  ...KEYED,
  'forbidden',
  'not_found',
  'version_mismatch',
  'inactive_user',
);

export const createItemRevisionRoutes = ({
  itemRevisions: service,
  idempotency,
}: Pick<Deps, 'itemRevisions' | 'idempotency'>) => {
  const once = createOnce(idempotency);
  return accountRoutes({ prefix: '/items', tags: ['items'] })
    .get(
      '/:item_id/revisions',
      async ({ actor, params, query }) => {
        const { data, page } = await service.list(actor, params.item_id, query);
        return { data: data.map(shownRevision), page };
      },
      {
        params: ItemIdParams,
        query: ItemRevisionsQuery,
        response: { 200: ItemRevisions, ...LIST_ITEM_REVISIONS_ERRORS },
        detail: userRoute('items:read', 'listItemRevisions', 'List the changes of an item'),
      },
    )
    .post(
      '/:item_id/revisions',
      async ({ actor, request, params, body, set }) => {
        const ifMatch = matchedVersions(request);
        const item = await once({ actor, request, body, set }, reverted, (onWritten) =>
          service.revert(actor, params.item_id, body.version, { ifMatch }, onWritten),
        );
        return status(201, item);
      },
      {
        params: ItemIdParams,
        body: ItemRevert,
        response: { 201: ItemDocument, ...REVERT_ITEM_ERRORS },
        detail: {
          ...userRoute('items:write', 'revertItem', 'Revert an item to an earlier version'),
          takesKey: true,
        },
      },
    );
};

function reverted(item: Item) {
  return { status: 201, location: `/api/v2/items/${item.id}`, body: shownItem(item) };
}

/** A revision as v2 returns it, with tags and data parsed. */
function shownRevision({ changes: { tags, data, ...plain }, ...rest }: ItemRevisionInfo) {
  const changes = {
    ...plain,
    ...(tags && { tags: parsed<string[]>(tags) }),
    ...(data && { data: parsed<Record<string, unknown>>(data) }),
  };
  return { ...rest, changes };
}

function parsed<T>({ from, to }: { from: string; to: string }): { from: T; to: T } {
  return { from: JSON.parse(from), to: JSON.parse(to) };
}
