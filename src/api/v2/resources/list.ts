import { AppError } from '../../../core/exceptions.ts';
import { filterParameters } from '../../../schemas/list-query.ts';
import type { ListQuery } from '../../../services/resources/list/query.ts';
import { createClientNetwork } from '../../request/origin.ts';
import { respondJson } from '../../responses/json.ts';
import { type ListedRow, type Selection, shownHeaders } from './document.ts';
import { expandedOf } from './expand.ts';
import { filtersOf, parseQuery, selectionOf, sortOf, throwProblems } from './list-query.ts';
import type { Context, Route, Served } from './route.ts';

/** Lists rows. It parses the URL itself, because the names of filters are not fixed. */
export function listRoute(resource: Served): Route {
  const { schemas, access, names, definition, deps } = resource;
  const networkFor = createClientNetwork(deps);
  const searched = definition.search.length > 0 ? ', sort and search' : ' and sort';
  return {
    method: 'GET',
    path: '',
    handler: async ({ actor, request, server, query, set }: Context) => {
      const { selection, ...parsed } = parsedQuery(resource, actor, request);
      const { q, bin, count, cursor, limit = 50 } = query;
      if (bin && actor.id === null) throw new AppError('unauthenticated', 'Not authenticated');
      // Long lists share the event loop by account or, without one, by network.
      const peer = server?.requestIP(request)?.address;
      const share = actor.id !== null ? `${actor.id}` : peer && networkFor(peer, request);
      const place = { q, bin, count, cursor, limit, share } as Partial<ListQuery>;
      const text = await listText(resource, actor, selection, { ...parsed, ...place, limit });
      return respondJson(text, set, shownHeaders(selection));
    },
    query: schemas.ListQuery,
    response: { 200: schemas.List, ...access.readErrors('invalid_cursor', 'validation_failed') },
    detail: {
      ...access.reads(
        `list${names.Many}${definition.operationSuffix}`,
        `List, filter${searched} ${names.many}`,
      ),
      sparse: schemas.SparseList,
      'x-parameters': filterParameters(definition.filters),
    },
  };
}

function parsedQuery({ schemas, definition }: Served, actor: Context['actor'], { url }: Request) {
  const parsed = parseQuery(url, schemas.ListQuery);
  const filters = filtersOf(parsed, definition.filters, actor.id ?? undefined);
  const sort = sortOf(parsed, definition);
  const selection = selectionOf(parsed, definition);
  throwProblems(parsed);
  return { filters, sort, selection };
}

async function listText(
  resource: Served,
  actor: Context['actor'],
  selection: Selection,
  query: Omit<ListQuery, 'columns'>,
): Promise<string> {
  const { columns, write } = resource.writer.select(selection);
  const { data, ...rest } = await resource.service.list.list(actor, { ...query, columns });
  const texts =
    selection.relations.length === 0
      ? data.map((row) => write(row))
      : await expandedTexts(resource, actor, selection, data);
  return `{"data":[${texts.join()}],${JSON.stringify(rest).slice(1)}`;
}

async function expandedTexts(
  resource: Served,
  actor: Context['actor'],
  selection: Selection,
  rows: readonly ListedRow[],
): Promise<string[]> {
  const { write } = resource.writer.select(selection);
  const texts: string[] = [];
  for (const row of rows) {
    texts.push(write(row, await expandedOf(resource, actor, row, selection)));
  }
  return texts;
}
