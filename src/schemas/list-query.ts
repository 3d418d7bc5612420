import type { TProperties, TUnsafe } from '@sinclair/typebox';
import { t } from 'elysia';
import {
  type FilterField,
  type FilterFields,
  type FilterOp,
  type ListTypes,
  MAX_FILTERS,
} from './filters.ts';
import { IntegerText, Text } from './kinds.ts';

export const PageLimit = t.Optional(
  IntegerText({
    minimum: 1,
    maximum: 100,
    default: 50,
    description: 'The maximum number of entries per page.',
  }),
);
export const Cursor = t.Optional(
  Text({
    minLength: 1,
    maxLength: 1024,
    description: `The next_cursor of the previous page. One request scans about 200,000 rows: if no index
serves the filters, a page may be short although has_more is true.`,
  }),
);
/** A time in a query. */
export const QueryTime = (description: string) =>
  t.Optional(
    Text({ minLength: 10, maxLength: 40, description, examples: ['2026-11-22T16:00:00.000Z'] }),
  );

/** A list of names, separated by commas or in repeated parameters. */
export function Names<const Name extends string>(
  names: readonly Name[],
  { title, ...options }: { title: string; description: string; examples: NoInfer<Name>[][] },
): TUnsafe<Name | readonly Name[]> {
  return t.Unsafe<Name | readonly Name[]>(
    t.Any({
      'x-type': 'array',
      'x-style': 'form',
      'x-explode': false,
      items: { type: 'string', enum: names, title },
      ...options,
    }),
  );
}

/** One of several names. api/v2/resources/list-query.ts validates it with the other parameters of a list. */
export function ListChoice<const Name extends string>(
  names: readonly Name[],
  options: { title: string; description: string },
): TUnsafe<Name> {
  return t.Unsafe<Name>(t.Any({ 'x-type': 'string', enum: names, ...options }));
}

/**
 * The query of a list with filters. It is open, because api/v2/resources/list-query.ts validates the names
 * of filters, and typed for the client.
 */
export function FilteredQuery<P extends TProperties, Fields extends FilterFields>(
  properties: P,
  fields: Fields,
  examples: ListTypes<Fields>['where'][],
) {
  const where = t.Optional(t.Any(whereParameter(fields, examples)));
  const schema = t.Object({ ...properties, where }, { additionalProperties: true });
  type Known = ReturnType<typeof t.Object<P>>['static'];
  return Object.assign(t.Unsafe<Known & ListTypes<Fields>['query']>(schema), {
    properties: schema.properties,
  });
}

const grammarOf = (
  json: string,
) => `A condition as text: \`field op value\`. Repeat the parameter for more conditions, at most ${MAX_FILTERS}; all must be true.
One or more blanks separate the field, the operator and the value. The value is the rest of the text, including
its blanks, quotes and commas; only commas in the values of a list are escaped.

- Operators: \`eq\`, \`ne\` (everything that eq does not match, including missing values), \`gt\`, \`gte\`, \`lt\`, \`lte\`, \`in\`, \`like\`, \`is\`.
- \`in\`: up to 100 values, separated by commas; \`\\,\` is a comma inside a value, \`\\\\\` a backslash.
- \`like\`: matches the whole value, ignoring the case of A to Z; \`*\` matches any text and may occur five times.
- \`is\`: \`null\` or \`not_null\`; for ${json} also \`true\` or \`false\`.
- Numbers, times, accounts and choices may have blanks around them. A time is in RFC 3339 form, or a date, which
  means its first moment in UTC. An account is its id, or \`me\` for the caller.

\`filter[field][op]=value\` is the same condition as a separate parameter. If no index serves the conditions, a
page may be short or empty although has_more is true.`;

const jsonValuesOf = (
  json: string,
) => `Keys of ${json} follow dots: up to 10 keys of letters, digits, _ and -. A value is a JSON number,
true, false, null or a text in quotes; anything else is plain text. Values match only values of the same type;
\`like\` matches texts of up to 2,048 characters.`;

/** Returns the parameter for conditions as text, for a list with these fields. */
function whereParameter(fields: FilterFields, examples: readonly string[]) {
  const named = Object.entries(fields).map(
    ([name, { type, ops, hasPath }]) =>
      `- \`${hasPath ? `${name}.key` : name}\` (${typeof type === 'string' ? type : type.join(', ')}): ${ops.join(', ')}`,
  );
  const json = Object.entries(fields).flatMap(([name, { type }]) =>
    type === 'json' ? [name] : [],
  );
  const jsonName = json.join(' and ') || 'data';
  return {
    'x-type': 'array',
    'x-style': 'form',
    'x-explode': true,
    items: { type: 'string', minLength: 4, maxLength: 20_000 },
    maxItems: MAX_FILTERS,
    description: [
      grammarOf(jsonName),
      `Fields:\n\n${named.join('\n')}`,
      ...(json.length > 0 ? [jsonValuesOf(jsonName)] : []),
    ].join('\n\n'),
    examples: [examples],
  };
}

/** Returns the parameters `filter[field][op]` of a list, for the document. */
export function filterParameters(fields: FilterFields): FilterParameter[] {
  return Object.entries(fields)
    .filter(([, { hasPath }]) => !hasPath)
    .flatMap(([name, { type, ops }]) =>
      ops.map((op) => ({
        name: `filter[${name}][${op}]`,
        in: 'query',
        required: false,
        schema: {
          ...valueSchema(type, op),
          description: `The same as \`where=${name} ${op} …\`.`,
        },
      })),
    );
}

export interface FilterParameter {
  name: string;
  in: string;
  required: boolean;
  schema: Record<string, unknown>;
}

function valueSchema(type: FilterField['type'], op: FilterOp): Record<string, unknown> {
  if (op === 'in') return { type: 'string', maxLength: 20_000 };
  if (op === 'is') return { type: 'string', enum: ['null', 'not_null'], 'x-enum': 'NullTest' };
  if (typeof type !== 'string') return { type: 'string', enum: type };
  return type === 'integer' || type === 'number'
    ? { type }
    : { type: 'string', maxLength: op === 'like' ? 200 : 20_000 };
}
