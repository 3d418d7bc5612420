import { AppError } from '../../core/exceptions.ts';
import { timeOf } from '../../utils/time/time.ts';
import type { Refusal } from './kinds.ts';

const NO_TIME: Refusal = {
  type: 'datetime_from_date_parsing',
  msg: 'Input should be an existing date, or a time of RFC 3339 with its offset from UTC, as 2026-11-22T16:00:00Z',
};

/** The stored form of a time that may have blanks around it, or why it is refused. */
export function readTime(text: string): string | Refusal {
  return timeOf(text.trim()) ?? NO_TIME;
}

/** The stored form of a query's time; undefined if it is not given. Throws validation_failed. */
export function queryTime<K extends string>(
  query: { [name in K]?: string | undefined },
  name: K,
): string | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  const time = readTime(text);
  if (typeof time === 'string') return time;
  const problems = [{ ...time, loc: ['query', name] }];
  throw new AppError('validation_failed', 'The request is not valid', { problems });
}
