import { isDeepStrictEqual } from 'node:util';

export type Json = Record<string, unknown>;

/** Any name of a property, as Dictionary writes it. */
const ANY_NAME = '^[\\s\\S]*$';
const MAX_INT32 = 2 ** 31 - 1;
/** Replaces a schema that is only null. */
const NULLABLE = { type: ['string', 'null'] };

/**
 * Returns the schema in a form for other languages: enums for constants, `["string", "null"]` for
 * nullable types and a format for each number. A schema with a name, its title or `x-enum`, is added
 * to `schemas` once and referenced. Keywords for the server's own libraries are dropped.
 */
export function correctSchema(schema: unknown, schemas: Json): unknown {
  if (Array.isArray(schema)) return schema.map((each) => correctSchema(each, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const {
    elysiaMeta: _,
    'x-format': format,
    'x-type': type,
    'x-enum': name,
    'x-nullable': nullable,
    ...others
  } = schema as Json;
  const own: Json = nullable ? { ...others, anyOf: [nullable, { type: 'null' }] } : others;
  const corrected = withFormat(
    withNull(
      withEnum(
        withAnyName(
          withLists({
            ...(type !== undefined && { type }),
            ...mapValues(own, (value) => correctSchema(value, schemas)),
            ...(format !== undefined && { format }),
          }),
        ),
      ),
      schemas,
    ),
  );
  if (typeof name === 'string') return enumReference(name, corrected, schemas);
  if (typeof own['title'] !== 'string') return corrected;
  const [single, isNullable] = [corrected['type']].flat();
  schemas[own['title']] ??= isNullable ? { ...corrected, type: single } : corrected;
  const reference = { $ref: `#/components/schemas/${own['title']}` };
  return isNullable ? nullableOf(reference, schemas) : reference;
}

/** Returns `part` of a document, with references in place of values of an enum in `schemas`. */
export function withKnownEnums(part: unknown, schemas: Json): unknown {
  const names = new Map(
    Object.entries(schemas).map(([name, it]) => [JSON.stringify((it as Json)['enum']), name]),
  );
  const replace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    const name = 'enum' in value && names.get(JSON.stringify(value.enum));
    return typeof name === 'string'
      ? enumReference(name, value as Json, schemas)
      : mapValues(value as Json, replace);
  };
  return replace(part);
}

/** Returns the `schemas` that `parts` reference, directly or through others. */
export function used(schemas: Json, parts: unknown): Json {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const each of Object.values(value)) visit(each);
    const name = nameIn(String('$ref' in value ? value.$ref : ''));
    if (names.has(name) || !Object.hasOwn(schemas, name)) return;
    names.add(name);
    visit(schemas[name]);
  };
  visit(parts);
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => names.has(name)));
}

/** Returns a reference to a shared enum, with the default and description of its place. */
function enumReference(name: string, { type, enum: values, ...others }: Json, schemas: Json): Json {
  schemas[name] ??= { type, enum: values };
  return { $ref: `#/components/schemas/${name}`, ...others };
}

function mapValues(object: Json, map: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}

/** Replaces patternProperties for any name, because few generators read them. */
function withAnyName({ patternProperties, ...schema }: Json): Json {
  const entries = Object.entries((patternProperties ?? {}) as Json);
  const [pattern, value] = entries[0] ?? [];
  if (entries.length === 0) return schema;
  const isAny = entries.length === 1 && (pattern === ANY_NAME || pattern === '^(.*)$');
  return isAny ? { ...schema, additionalProperties: value } : { ...schema, patternProperties };
}

/** Drops uniqueItems from a list of enums, because the Java generator fails on a set of them. */
function withLists({ uniqueItems, ...schema }: Json): Json {
  const isOfNames = typeof schema['items'] === 'object' && '$ref' in (schema['items'] ?? {});
  return uniqueItems === undefined || isOfNames ? schema : { ...schema, uniqueItems };
}

/** Replaces a constant by an enum of one. */
function withEnum({ const: constant, ...schema }: Json): Json {
  return constant === undefined ? schema : { ...schema, enum: [constant] };
}

/** Replaces schemas that are only null by nullable types, because generators know no null type. */
function withNull({ anyOf, ...schema }: Json, schemas: Json): Json {
  if (isNull(schema)) {
    const { enum: _, ...described } = schema;
    return { ...described, ...NULLABLE };
  }
  if (!Array.isArray(anyOf)) return schema;
  const others = anyOf.filter((it) => !isDeepStrictEqual(it, NULLABLE));
  if (others.length === anyOf.length) return { ...schema, anyOf };
  if (others.length === 0) return { ...schema, ...NULLABLE };
  const typed = others.findIndex((it) => typeof resolved(it, schemas)['type'] === 'string');
  const alternatives = others.map((it, index) =>
    index === typed ? nullableOf(it, schemas) : (it as Json),
  );
  if (typed === -1) alternatives.push(NULLABLE);
  return alternatives.length === 1
    ? { ...alternatives[0], ...schema }
    : { ...schema, anyOf: alternatives };
}

/** True if the schema allows only null, in any notation. */
function isNull({ type, enum: values }: Json): boolean {
  const types = [type].flat();
  const isNullType = types.length === 1 && types[0] === 'null';
  return (
    isNullType || (Array.isArray(values) && values.length > 0 && values.every((it) => it === null))
  );
}

/** Returns the schema, also allowing null. A named one gets a separate name. */
function nullableOf(schema: Json, schemas: Json): Json {
  const { $ref, ...place } = schema;
  const { title: _, enum: values, ...own } = resolved(schema, schemas);
  const nullable = {
    ...own,
    type: [own['type'], 'null'],
    ...(Array.isArray(values) && { enum: [...values, null] }),
  };
  if (typeof $ref !== 'string') return nullable;
  const name = `Nullable${nameIn($ref)}`;
  schemas[name] ??= nullable;
  return { $ref: `#/components/schemas/${name}`, ...place };
}

function resolved(schema: Json, schemas: Json): Json {
  return (schemas[nameIn(String(schema['$ref'] ?? ''))] as Json | undefined) ?? schema;
}

function nameIn(reference: string): string {
  return reference.replace('#/components/schemas/', '');
}

/** Adds a format to numbers. Without one, an id would have 32 bits in Go, Java and Rust. */
function withFormat(schema: Json): Json {
  const types = [schema['type']].flat();
  if (schema['format'] !== undefined) return schema;
  if (types.includes('number')) return { ...schema, format: 'double' };
  if (!types.includes('integer')) return schema;
  const { minimum = -Infinity, maximum = Infinity } = schema as {
    minimum?: number;
    maximum?: number;
  };
  const isSmall = minimum >= -MAX_INT32 - 1 && maximum <= MAX_INT32;
  return { ...schema, format: isSmall ? 'int32' : 'int64' };
}
