import type { AnyActor } from '../../core/actor.ts';
import type { Deps } from '../../core/deps.ts';
import { withDefaults } from '../../resources/declare/defaults.ts';
import { items } from '../../resources/items.ts';
import { Window } from '../../schemas/common.ts';
import {
  ItemCreate,
  ItemParams,
  ItemPublic,
  ItemsPublic,
  ItemUpdate,
  PopularQuery,
} from '../../schemas/items/items.ts';
import type { ItemFields } from '../../services/items/rows.ts';
import type { SentHeader } from '../openapi/headers.ts';
import { openRoutes, publicRoute, signedIn, userRoute } from '../plugins/access-rules.ts';
import { ITEM_BODY } from '../request/body-rules.ts';
import { respondAsIs, respondCached } from '../responses/json.ts';

import { v1Errors, v1WriteErrors } from './responses.ts';

const LIST = {
  query: Window,
  response: { 200: ItemsPublic, ...v1Errors([422, 503]) },
  detail: publicRoute('listItems', 'List items by id'),
};

const POPULAR = {
  query: PopularQuery,
  response: { 200: ItemsPublic, ...v1Errors([422]) },
  detail: {
    ...publicRoute('listPopularItems', 'List the most viewed items'),
    sends: ['X-Cache', 'Age'] as SentHeader[],
  },
};

const CREATE = {
  body: ItemCreate,
  response: { 200: ItemPublic, ...v1WriteErrors([401, 403]) },
  detail: { ...userRoute('items:write', 'createItem', 'Create an item'), body: ITEM_BODY },
};

export const createItemRoutes = ({
  items: service,
  popular,
  config,
}: Pick<Deps, 'items' | 'popular' | 'config'>) =>
  openRoutes({ prefix: '/items', tags: ['items'] })
    .get(
      '/',
      ({ query: { skip = 0, limit = 100 }, set }) => respondAsIs(service.list(skip, limit), set),
      LIST,
    )
    .post('/', ({ actor, body }) => service.create(signedIn(actor), fieldsOf(body)), CREATE)
    .get(
      '/popular',
      async ({ query: { limit = 10 }, set }) =>
        respondCached(await popular.listPlain(limit), set, (items) => items),
      POPULAR,
    )
    .get('/:item_id', viewWith({ items: service, config }), {
      params: ItemParams,
      response: { 200: ItemPublic, ...v1Errors([404, 422, 507]) },
      detail: publicRoute('getItem', 'Read an item, which counts one view'),
    })
    .put(
      '/:item_id',
      ({ actor, params, body }) =>
        service.update(signedIn(actor), params.item_id, replacement(body)),
      {
        params: ItemParams,
        body: ItemUpdate,
        response: { 200: ItemPublic, ...v1WriteErrors([401, 403, 404]) },
        detail: {
          ...userRoute('items:write', 'updateItem', 'Replace an own item'),
          body: ITEM_BODY,
        },
      },
    )
    .delete('/:item_id', ({ actor, params }) => service.remove(signedIn(actor), params.item_id), {
      params: ItemParams,
      response: { 200: ItemPublic, ...v1Errors([401, 403, 404, 422, 507]) },
      detail: userRoute('items:write', 'deleteItem', 'Delete an own item'),
    });

interface Read {
  actor: AnyActor;
  params: typeof ItemParams.static;
}

/** Counts every read, as the guide does, unless a setting excludes reloads. */
function viewWith({ items: service, config }: Pick<Deps, 'items' | 'config'>) {
  if (config.viewWindowV1Seconds === 0) return ({ params }: Read) => service.view(params.item_id);
  return ({ actor, params }: Read) => service.view(params.item_id, actor);
}

/** The fields that v1 shows, all of them: PUT leaves the others unchanged. */
function replacement(body: typeof ItemUpdate.static) {
  const { title, description, url } = fieldsOf(body);
  return { title, description, url };
}

function fieldsOf(body: typeof ItemCreate.static): ItemFields {
  return withDefaults(items.definition, body) as unknown as ItemFields;
}
