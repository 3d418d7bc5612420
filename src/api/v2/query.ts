import type { TObject } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { AppError, type Problem } from '../../core/exceptions.ts';

/** RFC 3339, or its date alone, which is that day's first moment. */
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/**
 * For a route's `transform`: throws invalid_query, 400, for a query parameter that `schema` does
 * not know, one that is given twice, and a sort that is none of its sorts.
 */
export function strictQuery(schema: TObject) {
  return ({ request }: { request: Request }): void => {
    // As it was sent: Elysia's own reading keeps the last of what is given twice.
    const [, search = ''] = request.url.split(/\?(.*)/s);
    const given = new URLSearchParams(search);
    const problems = [...new Set(given.keys())].flatMap((name) =>
      problemOf(schema, name, given.getAll(name)),
    );
    if (problems.length === 0) return;
    throw new AppError('invalid_query', 'The query is not one of this route', { problems });
  };
}

function problemOf({ properties }: TObject, name: string, values: string[]): Problem[] {
  const loc = ['query', name];
  const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (!known) return [{ type: 'extra_forbidden', loc, msg: 'Extra inputs are not permitted' }];
  if (values.length > 1) return [{ type: 'repeated', loc, msg: 'Input should be given once' }];
  if (name === 'sort' && !Value.Check(known, values[0])) {
    return [{ type: 'literal_error', loc, msg: 'Input should be a sort of this list' }];
  }
  return [];
}

/** A time of a query as it is stored; undefined when it is not given. Throws validation_failed. */
export function queryTime<K extends string>(
  query: { [name in K]?: string | undefined },
  name: K,
): string | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  const time = TIME.test(text) ? new Date(text) : undefined;
  if (time && !Number.isNaN(time.getTime())) return time.toISOString();
  const msg = 'Input should be a valid datetime, with its offset from UTC';
  const problems = [{ type: 'datetime_from_date_parsing', loc: ['query', name], msg }];
  throw new AppError('validation_failed', 'The request is not valid', { problems });
}
