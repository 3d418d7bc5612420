import { AppError, type Problem } from '../../core/exceptions.ts';
import type { BodySchema } from './body-rules.ts';

/** Problems that a response names; with more it could be larger than the body. */
const MAX_NAMED = 100;

/**
 * Throws validation_failed that names the fields of `value` that `schema` does not describe, and
 * what is not an object where it describes one: Elysia would make an empty object of that.
 */
export function refuseShape(value: object, schema: BodySchema): void {
  const problems: Problem[] = [];
  collect(value, schema, ['body'], problems);
  if (problems.length === 0) return;
  throw new AppError('validation_failed', 'The request is not valid', { problems });
}

/** Adds the problems of `value`, which stands at `loc`, to `found`. Leaves `loc` as it was. */
function collect(value: unknown, schema: BodySchema, loc: Problem['loc'], found: Problem[]): void {
  if (Array.isArray(value) && schema.items) {
    for (const [index, it] of value.entries()) visit(it, schema.items, index, loc, found);
  } else if (isObject(value)) {
    collectFields(value, schema, loc, found);
  } else if (schema.type === 'object') {
    note('dict_type', 'Input should be a valid dictionary', loc, found);
  }
}

function collectFields(
  value: Record<string, unknown>,
  schema: BodySchema,
  loc: Problem['loc'],
  found: Problem[],
): void {
  const { properties, patternProperties } = schema.anyOf?.find(isOfObject) ?? schema;
  const [any] = Object.values(patternProperties ?? {});
  if (!properties && !any) return;
  for (const [key, it] of Object.entries(value)) {
    const own = properties && Object.hasOwn(properties, key) ? properties[key] : any;
    if (own) visit(it, own, key, loc, found);
    else if (schema.additionalProperties !== true) {
      note('extra_forbidden', 'Extra inputs are not permitted', [...loc, key], found);
    }
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

function note(type: string, msg: string, loc: Problem['loc'], found: Problem[]): void {
  if (found.length < MAX_NAMED) found.push({ type, loc: [...loc], msg });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOfObject({ properties }: BodySchema): boolean {
  return properties !== undefined;
}
