import { type TSchema, Type } from '@sinclair/typebox';
import { AppError, type Problem } from '../../core/exceptions.ts';
import { urlQuery } from '../../utils/http/url.ts';

type Properties = Record<string, TSchema>;

interface QuerySchema {
  properties?: Properties;
  additionalProperties?: unknown;
  /** Of a record: its names are not known here, and are judged by what answers. */
  patternProperties?: Properties;
}

/**
 * Returns a check for a route with this query schema: throws invalid_query, 400, for a parameter that
 * the schema does not know and for one that is given twice and is no list. Undefined for an open
 * schema, whose route reads its query itself.
 */
export function strictQuery(schema: QuerySchema | undefined) {
  if (schema?.additionalProperties === true) return undefined;
  const properties = schema?.properties ?? {};
  const isOpen = schema?.patternProperties !== undefined;
  const known = (name: string) => (Object.hasOwn(properties, name) ? properties[name] : undefined);
  return ({ url }: Request): void => {
    if (urlQuery(url) === '') return;
    const given = sentQuery(url);
    const problems = [...new Set(given.keys())].flatMap((name) =>
      problemOf(isOpen ? ANY : known(name), name, given.getAll(name)),
    );
    if (problems.length === 0) return;
    const named = problems.slice(0, MAX_NAMED);
    throw new AppError('invalid_query', 'The query is not one of this route', { problems: named });
  };
}

/** The query of a URL as it was sent: Elysia's own reading keeps the last of a repeated name. */
export function sentQuery(url: string): URLSearchParams {
  return new URLSearchParams(urlQuery(url));
}

/** Parameters that an answer names: no more, or it could be larger than the URL. */
export const MAX_NAMED = 100;

/** Of a parameter whose name is not known here. */
const ANY = Type.String();

function problemOf(known: TSchema | undefined, name: string, values: string[]): Problem[] {
  const loc = ['query', name];
  if (!known) return [{ type: 'extra_forbidden', loc, msg: 'Extra inputs are not permitted' }];
  if (values.length > 1 && known['type'] !== 'array' && known['x-type'] !== 'array') {
    return [{ type: 'repeated', loc, msg: 'Input should be given once' }];
  }
  return [];
}
