import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { Window } from '../../schemas/common.ts';
import {
  ItemCreate,
  ItemParams,
  ItemPublic,
  ItemsPublic,
  ItemUpdate,
  PopularQuery,
} from '../../schemas/items.ts';
import { callerOf } from '../access.ts';
import { publicRoute, userRoute } from '../access-rules.ts';
import { ITEM_BODY } from '../body-rules.ts';
import { answerCached } from '../cached.ts';
import { answerAsIs } from '../json.ts';
import type { SentHeader } from '../openapi/headers.ts';
import { type Behind, createVia } from '../via.ts';
import { v1Errors, v1WriteErrors } from './responses.ts';

/** What v1 does not know. */
const NEW = { tags: [], data: {}, visibility: 'public' as const };

const LIST = {
  query: Window,
  response: { 200: ItemsPublic, ...v1Errors(422, 503) },
  detail: publicRoute('listItems', 'List items by id'),
};

const POPULAR = {
  query: PopularQuery,
  response: { 200: ItemsPublic, ...v1Errors(422) },
  detail: {
    ...publicRoute('listPopularItems', 'List the most viewed items'),
    sends: ['X-Cache', 'Age'] as SentHeader[],
  },
};

const CREATE = {
  body: ItemCreate,
  response: { 200: ItemPublic, ...v1WriteErrors(401, 403) },
  detail: { ...userRoute('items:write', 'createItem', 'Create an item'), body: ITEM_BODY },
};

export const items = ({ items: service, config }: Pick<Deps, 'items' | 'config'>) =>
  new Elysia({ prefix: '/items', tags: ['items'] })
    .get(
      '/',
      ({ query: { skip = 0, limit = 100 }, set }) => answerAsIs(service.list(skip, limit), set),
      LIST,
    )
    .post(
      '/',
      ({ request, body }) => service.create(callerOf(request), { ...NEW, ...withDefaults(body) }),
      CREATE,
    )
    .get(
      '/popular',
      async ({ query: { limit = 10 }, set }) =>
        answerCached(await service.listPopular(limit), set, (items) => items),
      POPULAR,
    )
    .get('/:item_id', viewWith({ items: service, config }), {
      params: ItemParams,
      response: { 200: ItemPublic, ...v1Errors(404, 422, 507) },
      detail: publicRoute('getItem', 'Read an item, which counts one view'),
    })
    .put(
      '/:item_id',
      ({ request, params, body }) =>
        service.update(callerOf(request), params.item_id, withDefaults(body)),
      {
        params: ItemParams,
        body: ItemUpdate,
        response: { 200: ItemPublic, ...v1WriteErrors(401, 403, 404) },
        detail: {
          ...userRoute('items:write', 'updateItem', 'Replace an own item'),
          body: ITEM_BODY,
        },
      },
    )
    .delete(
      '/:item_id',
      ({ request, params }) => service.remove(callerOf(request), params.item_id),
      {
        params: ItemParams,
        response: { 200: ItemPublic, ...v1Errors(401, 403, 404, 422, 507) },
        detail: userRoute('items:write', 'deleteItem', 'Delete an own item'),
      },
    );

type Read = Behind & { params: typeof ItemParams.static };

/** Counts every read, as the guide does, unless a setting says that a reload is no second view. */
function viewWith({ items: service, config }: Pick<Deps, 'items' | 'config'>) {
  if (config.viewWindowV1Seconds === 0) return ({ params }: Read) => service.view(params.item_id);
  const via = createVia({ config });
  return ({ request, server, set, params }: Read) =>
    service.view(params.item_id, via({ request, server, set }));
}

function withDefaults({ title, description = '', url = null }: typeof ItemCreate.static) {
  return { title, description, url };
}
