import { AppError, type Problem } from '../core/exceptions.ts';
import type { BodySchema } from './body-rules.ts';

/** Unknown fields that a response names; with more it could be larger than the body. */
const MAX_NAMED = 100;

/** Throws validation_failed that names the fields of `value` that `schema` does not describe. */
export function refuseUnknownFields(value: object, schema: BodySchema): void {
  const problems: Problem[] = [];
  collect(value, schema, ['body'], problems);
  if (problems.length === 0) return;
  throw new AppError('validation_failed', 'The request is not valid', { problems });
}

/** Adds a problem for each unknown field of `value`, which stands at `loc`. Leaves `loc` as it was. */
function collect(value: unknown, schema: BodySchema, loc: Problem['loc'], found: Problem[]): void {
  if (typeof value !== 'object' || value === null || found.length >= MAX_NAMED) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return;
    for (const [index, it] of value.entries()) visit(it, items, index, loc, found);
    return;
  }
  const { properties, patternProperties } = schema.anyOf?.find(isOfObject) ?? schema;
  const [any] = Object.values(patternProperties ?? {});
  if (!properties && !any) return;
  for (const [key, it] of Object.entries(value)) {
    const own = properties && Object.hasOwn(properties, key) ? properties[key] : any;
    if (own) visit(it, own, key, loc, found);
    else if (schema.additionalProperties !== true) note([...loc, key], found);
  }
}

function visit(
  value: unknown,
  schema: BodySchema,
  key: string | number,
  loc: Problem['loc'],
  found: Problem[],
): void {
  loc.push(key);
  collect(value, schema, loc, found);
  loc.pop();
}

function note(loc: Problem['loc'], found: Problem[]): void {
  if (found.length >= MAX_NAMED) return;
  found.push({ type: 'extra_forbidden', loc, msg: 'Extra inputs are not permitted' });
}

function isOfObject({ properties }: BodySchema): boolean {
  return properties !== undefined;
}
