import type { Deps } from '../../../core/deps.ts';
import { AppError } from '../../../core/exceptions.ts';
import { ITEM_FILTERS } from '../../../schemas/filters.ts';
import { ItemList, ItemSparseList, ItemsQuery } from '../../../schemas/items/list.ts';
import { filterParameters } from '../../../schemas/list-query.ts';
import { openRoutes, optionalRoute } from '../../plugins/access-rules.ts';
import { createClientNetwork } from '../../request/origin.ts';
import { respondJson } from '../../responses/json.ts';
import { SIGNED_IN, v2Errors } from '../responses.ts';
import { itemWriter, shownHeaders } from './document.ts';
import { filtersOf, parseQuery, selectionOf, sortOf, throwProblems } from './list-query.ts';

/** The list of items. It parses the URL itself, because the names of filters are not fixed. */
export const createItemListRoutes = ({
  itemList: service,
  config,
}: Pick<Deps, 'itemList' | 'config'>) => {
  const networkFor = createClientNetwork({ config });
  return openRoutes({ prefix: '/items', tags: ['items'] }).get(
    '',
    async ({ actor, request, server, query, set }) => {
      const { q, bin, count, cursor, limit = 50 } = query;
      const parsed = parseQuery(request.url, ItemsQuery);
      const filters = filtersOf(parsed, ITEM_FILTERS, actor.id ?? undefined);
      const sort = sortOf(parsed);
      const shown = selectionOf(parsed);
      throwProblems(parsed);
      if (bin && actor.id === null) throw new AppError('unauthenticated', 'Not authenticated');
      const { columns, write } = itemWriter(shown);
      // Long lists share the event loop by account or, without one, by network.
      const peer = server?.requestIP(request)?.address;
      const share = actor.id !== null ? `${actor.id}` : peer && networkFor(peer, request);
      const listQuery = { filters, q, sort, bin, count, cursor, limit, share, columns };
      const { data, ...rest } = await service.list(actor, listQuery);
      const text = `{"data":[${data.map(write).join()}],${JSON.stringify(rest).slice(1)}`;
      return respondJson<typeof ItemList.static>(text, set, shownHeaders(shown));
    },
    {
      query: ItemsQuery,
      response: { 200: ItemList, ...v2Errors(...SIGNED_IN, 'invalid_cursor', 'validation_failed') },
      detail: {
        ...optionalRoute('items:read', 'listItemsV2', 'List, filter, sort and search items'),
        sparse: ItemSparseList,
        'x-parameters': filterParameters(ITEM_FILTERS),
      },
    },
  );
};
