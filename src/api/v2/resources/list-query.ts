import { AppError, type Problem } from '../../../core/exceptions.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { type FilterFields, MAX_FILTERS } from '../../../schemas/filters.ts';
import { documentOf, expansionsOf, relationsOf } from '../../../schemas/resources/document.ts';
import { sortsOf } from '../../../schemas/resources/list.ts';
import { MAX_NAMED, sentQuery } from '../../request/parameters.ts';
import type { Refusal } from '../../request/validation.ts';
import type { Selection } from './document.ts';
import { type Condition, isRefused, readCondition, sentAsText, sentByName } from './filters.ts';

/** One key of a sort. */
export interface SortKey {
  field: string;
  isDescending: boolean;
}

/** The parameters of a query, and the problems found in them. */
export interface ParsedQuery {
  values: Map<string, string>;
  /** The values of `where`. */
  where: string[];
  problems: Problem[];
}

interface QuerySchema {
  properties: Record<string, object>;
}

/** Parses the query of `url`; unknown and repeated parameters are problems. */
export function parseQuery(url: string, { properties }: QuerySchema): ParsedQuery {
  const parsed: ParsedQuery = { values: new Map(), where: [], problems: [] };
  const hasFilters = Object.hasOwn(properties, 'where');
  for (const [name, value] of sentQuery(url)) {
    const isFilter = hasFilters && name.startsWith('filter[');
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const before = parsed.values.get(name);
    if (!known && !isFilter) {
      note(parsed, name, { type: 'extra_forbidden', msg: 'Extra inputs are not permitted' });
    } else if (hasFilters && name === 'where') parsed.where.push(value);
    else if (before === undefined) parsed.values.set(name, value);
    else if (known && Reflect.get(known, 'x-type') === 'array') {
      parsed.values.set(name, `${before},${value}`);
    } else note(parsed, name, { type: 'repeated', msg: 'Input should be given once' });
  }
  return parsed;
}

/** Throws invalid_query if there are problems. */
export function throwProblems({ problems }: ParsedQuery): void {
  if (problems.length === 0) return;
  const named = problems.slice(0, MAX_NAMED);
  throw new AppError('invalid_query', 'The query is not valid for this route', { problems: named });
}

/** The conditions of a list: all `filter[field][op]=value` and `where=field op value`. */
export function filtersOf<Fields extends FilterFields>(
  parsed: ParsedQuery,
  fields: Fields,
  callerId: number | undefined,
): Condition<keyof Fields & string>[] {
  const named = [...parsed.values].filter(([name]) => name.startsWith('filter['));
  const sent = [
    ...named.map(([name, value]) => ({ loc: [name], sent: sentByName(name, value) })),
    ...parsed.where.map((text, index) => ({ loc: ['where', index], sent: sentAsText(text) })),
  ];
  const tooMany = { type: 'too_long', msg: `There should be at most ${MAX_FILTERS} filters` };
  const found: Condition<keyof Fields & string>[] = [];
  for (const [index, { loc, sent: each }] of sent.entries()) {
    const read = isRefused(each) ? each : readCondition(fields, each, callerId);
    const condition = index < MAX_FILTERS ? read : tooMany;
    if (isRefused(condition)) parsed.problems.push({ ...condition, loc: ['query', ...loc] });
    else found.push(condition);
    if (index >= MAX_FILTERS) break;
  }
  return found;
}

/** The sort keys of a list; undefined without `sort`. */
export function sortOf(parsed: ParsedQuery, definition: Definition): SortKey[] | undefined {
  const hasWords = parsed.values.has('q');
  const sorts = sortsOf(definition).filter((it) => hasWords || !it.endsWith('relevance'));
  return namesIn(parsed, 'sort', sorts, fieldOf)?.map((name) => ({
    field: fieldOf(name),
    isDescending: name.startsWith('-'),
  }));
}

/** The value of a parameter that must be one of `known`; undefined without the parameter. */
export function choiceOf<Name extends string>(
  parsed: ParsedQuery,
  parameter: string,
  known: readonly Name[],
): Name | undefined {
  const value = parsed.values.get(parameter)?.trim();
  const found = known.find((it) => it === value);
  if (value !== undefined && !found) note(parsed, parameter, noneOf(value, known));
  return found;
}

/** The selection by `fields` and `expand`. */
export function selectionOf(parsed: ParsedQuery, definition: Definition): Selection {
  const fields = namesIn(parsed, 'fields', Object.keys(documentOf(definition).properties));
  const expanded = namesIn(parsed, 'expand', expansionsOf(definition)) ?? [];
  return {
    fields,
    hasOwner: expanded.includes('owner'),
    relations: relationsOf(definition).filter(({ name }) => expanded.includes(name)),
  };
}

function fieldOf(name: string): string {
  return name.replace('-', '');
}

/** The entries of a list of names; unknown and repeated ones are problems. */
function namesIn<Name extends string>(
  parsed: ParsedQuery,
  parameter: string,
  known: readonly Name[],
  identity: (name: Name) => string = (name) => name,
): Name[] | undefined {
  const entries = parsed.values
    .get(parameter)
    ?.split(',')
    .flatMap((text) => {
      const name = known.find((it) => it === text.trim());
      if (name === undefined) note(parsed, parameter, noneOf(text, known));
      return name ?? [];
    });
  if (entries && new Set(entries.map(identity)).size < entries.length) {
    note(parsed, parameter, { type: 'repeated', msg: 'An entry should be given once' });
  }
  return entries;
}

function noneOf(text: string, known: readonly string[]): Refusal {
  return {
    type: 'literal_error',
    msg: `${text.slice(0, 100)} should be one of ${known.join(', ')}`,
  };
}

function note({ problems }: ParsedQuery, name: string, refusal: Refusal): void {
  problems.push({ ...refusal, loc: ['query', name] });
}
