import { Kind, type TSchema } from '@sinclair/typebox';
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors';
import { Value } from '@sinclair/typebox/value';
import type { Problem } from '../core/exceptions.ts';
import { refusalOf } from './kinds.ts';

/** Where a value stands in a request, in the order in which FastAPI lists them. */
type Section = 'path' | 'query' | 'body';

export interface Sections {
  schemas: { params?: unknown; query?: unknown; body?: unknown };
  values: { params: unknown; query: unknown; body: unknown };
}

/** Everything that a request's schemas refuse, all sections of it, as pydantic 2 names it. */
export function findProblems({ schemas, values }: Sections): Problem[] {
  return [
    ...sectionProblems('path', schemas.params, values.params),
    ...sectionProblems('query', schemas.query, values.query),
    ...sectionProblems('body', schemas.body, values.body),
  ];
}

function sectionProblems(section: Section, schema: unknown, value: unknown): Problem[] {
  if (!isSchema(schema)) return [];
  const problems = new Map<string, Problem>();
  for (const error of Value.Errors(schema, value)) {
    // TypeBox reports a missing value and then its wrong type: the first reason is the reason.
    if (!problems.has(error.path)) problems.set(error.path, toProblem(section, error));
  }
  return [...problems.values()];
}

function isSchema(value: unknown): value is TSchema {
  return typeof value === 'object' && value !== null && Kind in value;
}

function toProblem(section: Section, error: ValueError): Problem {
  const loc = [section, ...error.path.split('/').slice(1).map(unescapePointer)];
  if (error.type === ValueErrorType.ObjectRequiredProperty || error.value === undefined) {
    return { type: 'missing', loc, msg: 'Field required' };
  }
  const refusal = refusalOf(error.schema, error.value);
  if (refusal) return { ...refusal, loc };
  return { type: 'value_error', loc, msg: error.message };
}

function unescapePointer(part: string): string | number {
  if (/^\d+$/.test(part)) return Number(part);
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
