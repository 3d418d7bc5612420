import { isDeepStrictEqual } from 'node:util';

export type Json = Record<string, unknown>;

/** Any name of a property, as Dictionary writes it. */
const ANY_NAME = '^[\\s\\S]*$';
const MAX_INT32 = 2 ** 31 - 1;
/** What null alone becomes. */
const NULLABLE = { type: ['string', 'null'] };

/**
 * The schema as other languages read it: with enums for constants, `["string", "null"]` for nullable
 * types and a format for each number. What has a name, its title or `x-enum`, is put into `schemas`
 * once and referred to. Keywords that only the server's own libraries read are dropped.
 */
export function correctSchema(schema: unknown, schemas: Json): unknown {
  if (Array.isArray(schema)) return schema.map((each) => correctSchema(each, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const {
    elysiaMeta: _,
    'x-format': format,
    'x-type': type,
    'x-enum': name,
    ...own
  } = schema as Json;
  const corrected = withFormat(
    withNull(
      withEnum(
        withAnyName({
          ...(type !== undefined && { type }),
          ...mapValues(own, (value) => correctSchema(value, schemas)),
          ...(format !== undefined && { format }),
        }),
      ),
      schemas,
    ),
  );
  if (typeof name === 'string') return enumReference(name, corrected, schemas);
  if (typeof own['title'] !== 'string') return corrected;
  schemas[own['title']] ??= corrected;
  return { $ref: `#/components/schemas/${own['title']}` };
}

/** `part` of a document, with a reference wherever it lists the values of an enum of `schemas`. */
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

/** The enum is shared; its default and description belong to the place where it stands. */
function enumReference(name: string, { type, enum: values, ...others }: Json, schemas: Json): Json {
  schemas[name] ??= { type, enum: values };
  return { $ref: `#/components/schemas/${name}`, ...others };
}

function mapValues(object: Json, map: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}

/** Few generators read patternProperties. */
function withAnyName({ patternProperties, ...schema }: Json): Json {
  const entries = Object.entries((patternProperties ?? {}) as Json);
  const [pattern, value] = entries[0] ?? [];
  if (entries.length === 0) return schema;
  const isAny = entries.length === 1 && (pattern === ANY_NAME || pattern === '^(.*)$');
  return isAny ? { ...schema, additionalProperties: value } : { ...schema, patternProperties };
}

/** A constant is an enum of one. */
function withEnum({ const: constant, ...schema }: Json): Json {
  return constant === undefined ? schema : { ...schema, enum: [constant] };
}

/** No schema is null alone: generators know no such type, only one that is nullable. */
function withNull({ anyOf, ...schema }: Json, schemas: Json): Json {
  if (schema['type'] === 'null') return { ...schema, ...NULLABLE };
  if (!Array.isArray(anyOf)) return schema;
  const others = anyOf.filter((it) => !isNull(it));
  if (others.length === anyOf.length) return { ...schema, anyOf };
  const nullable = others.findIndex((it) => typeof resolved(it, schemas)['type'] === 'string');
  const alternatives = others.map((it, index) => {
    if (index !== nullable) return it;
    const { title: _, ...inlined } = resolved(it, schemas);
    return { ...inlined, type: [inlined['type'], 'null'] };
  });
  return alternatives.length === 1
    ? { ...alternatives[0], ...schema }
    : { ...schema, anyOf: alternatives };
}

function isNull(schema: Json): boolean {
  return isDeepStrictEqual(schema, NULLABLE);
}

function resolved(schema: Json, schemas: Json): Json {
  const name = String(schema['$ref'] ?? '').replace('#/components/schemas/', '');
  return (schemas[name] as Json | undefined) ?? schema;
}

/** Without a format an id would be 32 bits in Go, Java and Rust. */
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
