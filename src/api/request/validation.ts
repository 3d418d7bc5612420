import { Kind, type TSchema } from '@sinclair/typebox';
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors';
import { Value } from '@sinclair/typebox/value';
import type { Problem } from '../../core/exceptions.ts';
import { formOf, refusalOf } from './kinds.ts';

/** Where a value stands in a request, in the order in which FastAPI lists them. */
type Section = 'path' | 'query' | 'body';

/** Problems that are named: a body of 1 MiB could have a hundred thousand. */
const MAX_PROBLEMS = 1000;

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
  return isSchema(schema) ? problemsOf(schema, value, [section]).slice(0, MAX_PROBLEMS) : [];
}

/** What `schema` refuses of `value`, which stands at `loc` in the request. */
export function problemsOf(schema: TSchema, value: unknown, loc: Problem['loc']): Problem[] {
  const problems = new Map<string, Problem[]>();
  let count = 0;
  for (const error of Value.Errors(schema, value)) {
    // TypeBox reports a missing value and then its wrong type: the first reason is the reason.
    if (problems.has(error.path)) continue;
    const found = toProblems(error, loc);
    problems.set(error.path, found);
    count += found.length;
    if (count >= MAX_PROBLEMS) break;
  }
  return [...problems.values()].flat();
}

function isSchema(value: unknown): value is TSchema {
  return typeof value === 'object' && value !== null && Kind in value;
}

function toProblems(error: ValueError, base: Problem['loc']): Problem[] {
  const loc = [...base, ...error.path.split('/').slice(1).map(unescapePointer)];
  const form = formOf(error.schema, error.value);
  return form ? problemsOf(form, error.value, loc) : [toProblem(error, loc)];
}

function toProblem(error: ValueError, loc: Problem['loc']): Problem {
  if (error.type === ValueErrorType.ObjectAdditionalProperties) {
    return { type: 'extra_forbidden', loc, msg: 'Extra inputs are not permitted' };
  }
  if (error.type === ValueErrorType.ObjectRequiredProperty || error.value === undefined) {
    return { type: 'missing', loc, msg: 'Field required' };
  }
  const refusal = refusalOf(error.schema, error.value);
  if (refusal) return { ...refusal, loc };
  if (error.type === ValueErrorType.Literal) {
    return { type: 'literal_error', loc, msg: `Input should be '${error.schema['const']}'` };
  }
  return { type: 'value_error', loc, msg: error.message };
}

function unescapePointer(part: string): string | number {
  if (/^\d+$/.test(part)) return Number(part);
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
