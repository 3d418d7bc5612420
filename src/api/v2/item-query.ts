import type { Deps } from '../../core/deps.ts';
import { AppError, type Problem } from '../../core/exceptions.ts';
import { ITEM_FIELDS, type ItemField } from '../../schemas/items-v2.ts';
import { sentQuery } from '../strict-query.ts';
import { isRefused, readFilter } from './item-filter.ts';

type Query = Parameters<Deps['itemList']['list']>[1];
type SortKey = NonNullable<Query['sort']>[number];

/** What of an item is shown: all of it unless `fields` says what; `expand` adds its owner. */
export interface Shown {
  fields: readonly ItemField[];
  hasOwner: boolean;
}

/** Each is asked of every item that is looked at. */
const MAX_FILTERS = 20;

const SORTS: readonly SortKey['field'][] = ['id', 'created_at', 'updated_at', 'title', 'views'];

/** The parameters of a request's query, as they were sent. */
export interface Given {
  values: Map<string, string>;
  problems: Problem[];
}

/** Reads the query of `url`; what is given twice and what `isKnown` does not know are problems. */
export function givenIn(url: string, isKnown: (name: string) => boolean): Given {
  const values = new Map<string, string>();
  const problems: Problem[] = [];
  for (const [name, value] of sentQuery(url)) {
    const loc = ['query', name];
    if (!isKnown(name))
      problems.push({ type: 'extra_forbidden', loc, msg: 'Extra inputs are not permitted' });
    else if (values.has(name))
      problems.push({ type: 'repeated', loc, msg: 'Input should be given once' });
    values.set(name, value);
  }
  return { values, problems };
}

/** Throws invalid_query, 400, if there are problems. */
export function refuse({ problems }: Given): void {
  if (problems.length === 0) return;
  throw new AppError('invalid_query', 'The query is not one of this route', { problems });
}

/** The conditions of a list, from each `filter[field][op]`. */
export function filtersOf(given: Given, callerId: number | undefined): Query['filters'] {
  const filters: Query['filters'][number][] = [];
  for (const [name, value] of given.values) {
    if (!name.startsWith('filter[')) continue;
    const filter = readFilter(name, value, callerId);
    if (isRefused(filter)) given.problems.push({ ...filter, loc: ['query', name] });
    else if (filters.push(filter) > MAX_FILTERS) {
      const msg = `There should be at most ${MAX_FILTERS} filters`;
      given.problems.push({ type: 'too_long', loc: ['query', name], msg });
    }
  }
  return filters;
}

/** The keys of `sort`; undefined when it is not given. */
export function sortOf(given: Given): Query['sort'] {
  const sorts = given.values.has('q') ? [...SORTS, 'relevance' as const] : SORTS;
  return namesIn(
    given,
    'sort',
    (name) => {
      const field = sorts.find((it) => it === name.replace(/^-/, ''));
      return field && { field, isDescending: name.startsWith('-') };
    },
    sorts,
    ({ field }) => field,
  );
}

/** What `fields` and `expand` ask for. */
export function shownIn(given: Given): Shown {
  const fields = namesIn(
    given,
    'fields',
    (name) => ITEM_FIELDS.find((it) => it === name),
    ITEM_FIELDS,
    String,
  );
  const expand = namesIn(
    given,
    'expand',
    (name) => (name === 'owner' ? name : undefined),
    ['owner'],
    String,
  );
  return { fields: fields ?? ITEM_FIELDS, hasOwner: expand !== undefined };
}

/** The entries of a list of names; what is none of `known` or there twice is a problem. */
function namesIn<T>(
  { values, problems }: Given,
  parameter: string,
  read: (name: string) => T | undefined,
  known: readonly string[],
  identity: (entry: T) => string,
): T[] | undefined {
  const entries = values
    .get(parameter)
    ?.split(',')
    .flatMap((name) => {
      const entry = read(name);
      if (entry !== undefined) return [entry];
      const msg = `${name.slice(0, 100)} should be one of ${known.join(', ')}`;
      problems.push({ type: 'literal_error', loc: ['query', parameter], msg });
      return [];
    });
  if (entries && new Set(entries.map(identity)).size < entries.length) {
    problems.push({
      type: 'repeated',
      loc: ['query', parameter],
      msg: 'An entry should be given once',
    });
  }
  return entries;
}
