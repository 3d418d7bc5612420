/** A JSON schema of the OpenAPI document; only the parts that its types need. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  description?: string;
  default?: unknown;
}

/** Returns the TypeScript type of a schema. A reference is printed as the name of its component. */
export function typeOf(schema: Schema): string {
  const { $ref, const: constant, enum: values, anyOf, oneOf, allOf, type } = schema;
  if ($ref !== undefined) return nameOf($ref);
  if (constant !== undefined) return JSON.stringify(constant);
  if (values) return unionOf(values.map((it) => JSON.stringify(it)));
  const alternatives = anyOf ?? oneOf;
  if (alternatives) return unionOf(alternatives.map(typeOf));
  if (allOf) return allOf.map((it) => grouped(typeOf(it))).join(' & ');
  const types = [type ?? (schema.properties ? 'object' : undefined)].flat();
  return unionOf(types.map((it) => simpleType(it, schema)));
}

/** Returns the name in a reference, such as `Note` for `#/components/schemas/Note`. */
export function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1).replaceAll(/\W/g, '_');
}

/** Returns a property name, in quotes if it is not an identifier. */
export function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** Returns a doc comment, or nothing without a text. */
export function commentOf(text: string | undefined): string {
  if (!text) return '';
  const lines = text.trim().replaceAll('*/', '*\\/').split('\n');
  if (lines.length === 1) return `/** ${lines[0]} */\n`;
  return `/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join('\n')}\n */\n`;
}

/** Returns a union without repetitions. */
export function unionOf(types: readonly string[]): string {
  const distinct = [...new Set(types)];
  return distinct.includes('unknown') || distinct.length === 0 ? 'unknown' : distinct.join(' | ');
}

function simpleType(type: string | undefined, schema: Schema): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `${grouped(typeOf(schema.items ?? {}))}[]`;
    case 'object':
      return objectType(schema);
    default:
      return 'unknown';
  }
}

function objectType({ properties = {}, required = [], additionalProperties }: Schema): string {
  const names = Object.keys(properties);
  const rest = typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown';
  if (names.length === 0) return `Record<string, ${rest}>`;
  const members = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? '' : '?';
    return `${commentOf(schema.description)}${keyOf(name)}${mark}: ${typeOf(schema)};`;
  });
  const isOpen = additionalProperties === true || typeof additionalProperties === 'object';
  return `{\n${members.join('\n')}\n}${isOpen ? ` & Record<string, ${rest}>` : ''}`;
}

function grouped(type: string): string {
  return /[|&]/.test(type.replaceAll(/\{[\s\S]*\}/g, '')) ? `(${type})` : type;
}
