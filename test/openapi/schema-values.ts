import fc from 'fast-check';

export interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  const?: unknown;
  format?: string;
  default?: unknown;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  pattern?: string;
  additionalProperties?: Schema | boolean;
  examples?: unknown[];
}

const UNUSUAL_TEXTS = [
  '',
  ' ',
  '\u0000',
  '\u202e',
  '💥',
  "' OR 1=1 --",
  '<script>',
  '%00',
  '../..',
  '{}',
  'null',
];

/** Generates values that `schema` accepts, including its examples. */
export function validValues(schema: Schema): fc.Arbitrary<unknown> {
  const { examples = [] } = schema;
  const generated = generatedValues(schema);
  return examples.length > 0 ? fc.oneof(fc.constantFrom(...examples), generated) : generated;
}

function generatedValues(schema: Schema): fc.Arbitrary<unknown> {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map(validValues));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (!schema.type && !schema.properties) return fc.jsonValue();
  const types = [schema.type ?? 'object'].flat();
  return fc.oneof(...types.map((type) => validOf(type, schema)));
}

/** Generates values that `schema` rejects, each for one reason. */
export function invalidValues(schema: Schema): fc.Arbitrary<unknown> {
  const options = schema.anyOf ?? schema.oneOf ?? [schema];
  const types = options.flatMap(({ type = 'object' }) => type);
  const ofOtherType = fc.oneof(
    ...Object.entries(WRONG_TYPES)
      .filter(
        ([type]) => !types.includes(type) && !(type === 'integer' && types.includes('number')),
      )
      .map(([, values]) => values),
  );
  const outOfBounds = options.flatMap((option) =>
    [option.type ?? 'object'].flat().flatMap((type) => outside(type, option)),
  );
  return fc.oneof(ofOtherType, ...outOfBounds);
}

const WRONG_TYPES: Record<string, fc.Arbitrary<unknown>> = {
  string: fc.constantFrom('x', ...UNUSUAL_TEXTS),
  integer: fc.integer(),
  boolean: fc.boolean(),
  array: fc.array(fc.integer(), { maxLength: 3 }),
  object: fc.constantFrom({}, { a: 1 }, JSON.parse('{"__proto__":{"x":1}}')),
  null: fc.constant(null),
};

function validOf(type: string, schema: Schema): fc.Arbitrary<unknown> {
  if (type === 'null') return fc.constant(null);
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer') {
    return fc.integer({
      min: schema.minimum ?? -(2 ** 53) + 1,
      max: schema.maximum ?? 2 ** 53 - 1,
    });
  }
  if (type === 'array') {
    const { minItems: minLength = 0, maxItems = 3, items = {} } = schema;
    const bounds = { minLength, maxLength: Math.min(maxItems, 3) };
    return (schema.uniqueItems ? fc.uniqueArray : fc.array)(validValues(items), bounds);
  }
  if (type === 'string') return validText(schema);
  return validObject(schema);
}

/** Any text without NUL. */
const OPEN_PATTERN = '^[^\\u0000]*$';

function validText(schema: Schema): fc.Arbitrary<string> {
  const { format, pattern = OPEN_PATTERN, minLength = 0, maxLength = 50 } = schema;
  if (pattern !== OPEN_PATTERN) return fc.stringMatching(new RegExp(pattern, 'u'));
  if (format === 'email') return fc.emailAddress().filter((text) => text.length >= minLength);
  if (format === 'uri') return fc.webUrl();
  const unit = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...'abc xyz019') },
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((text) => text !== '\u0000'),
  );
  return fc.string({ unit, minLength, maxLength: Math.min(maxLength, minLength + 40) });
}

function validObject(schema: Schema): fc.Arbitrary<unknown> {
  const { properties, required = [], additionalProperties = {} } = schema;
  if (!properties) return validDictionary(additionalProperties);
  const model = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, validValues(schema)]),
  );
  return fc.record(model, { requiredKeys: required as never[] });
}

/** Generates an object with any keys. */
function validDictionary(values: Schema | boolean): fc.Arbitrary<unknown> {
  const value = typeof values === 'object' ? validValues(values) : fc.jsonValue();
  return fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), value, { maxKeys: 5 });
}

function outside(type: string, schema: Schema): fc.Arbitrary<unknown>[] {
  if (type === 'object') return outsideObject(schema);
  if (type === 'integer') {
    const { minimum, maximum } = schema;
    return [
      fc.constantFrom(1.5, 1e308),
      ...(minimum === undefined ? [] : [fc.constant(minimum - 1)]),
      ...(maximum === undefined ? [] : [fc.constant(maximum + 1)]),
    ];
  }
  if (type !== 'string') return [];
  const { minLength = 0, maxLength, format } = schema;
  if (schema.enum)
    return [fc.constantFrom('nonsense', 'null', String(schema.enum[0]).toUpperCase())];
  return [
    fc.constant('a\u0000b'),
    ...(minLength > 0 ? [fc.constant('x'.repeat(minLength - 1))] : []),
    ...(maxLength === undefined ? [] : [fc.constant('x'.repeat(maxLength + 1))]),
    ...(format ? [fc.constantFrom('nonsense', 'a@', '://', 'javascript:1')] : []),
  ];
}

/** Generates objects with one invalid or missing property. */
function outsideObject(schema: Schema): fc.Arbitrary<unknown>[] {
  const { properties = {}, required = [] } = schema;
  const wrong = Object.entries(properties).map(([name, property]) =>
    fc
      .tuple(validObject(schema), invalidValues(property))
      .map(([value, bad]) => ({ ...(value as object), [name]: bad })),
  );
  const missing = required.map((name) =>
    validObject(schema).map((value) => {
      const { [name]: _, ...rest } = value as Record<string, unknown>;
      return rest;
    }),
  );
  const unknown = validObject(schema).map((value) => ({ ...(value as object), unexpected: 1 }));
  return [...wrong, ...missing, ...(schema.additionalProperties === false ? [unknown] : [])];
}
