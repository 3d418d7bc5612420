import { AppError } from '../../core/exceptions.ts';

/** RFC 3339, or its date alone, which is that day's first moment. */
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** A time of a query as it is stored; undefined when it is not given. Throws validation_failed. */
export function queryTime<K extends string>(
  query: { [name in K]?: string | undefined },
  name: K,
): string | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  const time = timeOf(text);
  if (time !== undefined) return time;
  const msg = 'Input should be a valid datetime, with its offset from UTC';
  const problems = [{ type: 'datetime_from_date_parsing', loc: ['query', name], msg }];
  throw new AppError('validation_failed', 'The request is not valid', { problems });
}

/** A time as it is stored; undefined for what is none. */
export function timeOf(text: string): string | undefined {
  const time = TIME.test(text) ? new Date(text) : undefined;
  return time && !Number.isNaN(time.getTime()) ? time.toISOString() : undefined;
}
