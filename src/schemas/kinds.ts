import {
  Kind,
  type ObjectOptions,
  type Static,
  type TObject,
  type TSchema,
  type TUnsafe,
  Type,
} from '@sinclair/typebox';

/** The rules for a text in JSON. Lengths are in code points, as in JSON Schema and pydantic. */
export interface TextOptions {
  minLength?: number;
  maxLength: number;
  format?: 'email' | 'uri';
  /** The stored and validated form: Unicode NFC, for a name also trimmed. */
  elysiaMeta?: 'name' | 'nfc';
  pattern?: string;
  default?: string | null;
  description?: string;
  examples?: unknown[];
}

export interface TextListOptions {
  minItems: number;
  maxItems: number;
  /** The maximum length of each text. */
  maxLength: number;
  description?: string;
}

export interface JsonObjectOptions {
  /** The maximum size of its JSON in UTF-8, without spaces. */
  maxBytes: number;
  /** The maximum nesting of objects and lists, including itself. */
  maxDepth: number;
  description?: string;
  examples?: object[];
}

export interface IntegerOptions {
  minimum?: number;
  maximum?: number;
  default?: number;
  description?: string;
  examples?: number[];
}

/**
 * Our own kinds, because Elysia turns its integers and strings in a query into unions. Their checks are
 * in api/request/validation.ts.
 */
export type OwnKind =
  | 'HutchText'
  | 'HutchNullableText'
  | 'HutchNullable'
  | 'HutchTextList'
  | 'HutchIntegerText'
  | 'HutchJsonObject'
  | 'HutchOneOf'
  | 'HutchChoice'
  | 'HutchFlag'
  | 'HutchTime';

function own<T>(kind: OwnKind, schema: object): TUnsafe<T> {
  return Type.Unsafe<T>({ [Kind]: kind, ...schema });
}

export function Text(options: TextOptions): TUnsafe<string> {
  return own('HutchText', { type: 'string', ...storable(options) });
}

export function NullableText(options: TextOptions): TUnsafe<string | null> {
  return own('HutchNullableText', { type: ['string', 'null'], ...storable(options) });
}

/** Any value of `schema`, or null. */
export function Nullable(schema: TSchema): TSchema {
  if ((schema as unknown as Record<PropertyKey, unknown>)[Kind] === 'HutchText') {
    return { ...schema, [Kind]: 'HutchNullableText', type: ['string', 'null'] } as TSchema;
  }
  // Not `anyOf`, for which Elysia would check each alternative.
  return own('HutchNullable', { 'x-nullable': schema, elysiaMeta: { inner: schema } });
}

/** A query parameter that may be repeated. api/request/parameters.ts converts a single value to a list. */
export function TextList({ maxLength, ...options }: TextListOptions) {
  const items = { type: 'string', minLength: 1, maxLength };
  // With this meta Elysia reads every value of a repeated parameter.
  const schema = { type: 'array', items, elysiaMeta: 'ArrayQuery', ...options };
  return own<string[]>('HutchTextList', schema);
}

/** A whole number in JSON; Elysia's own type would also accept text. */
export const Integer = Type.Integer;

/** Any JSON object within bounds. */
export function JsonObject({ description, examples, ...bounds }: JsonObjectOptions) {
  // Not `type`, because Elysia copies objects and converts a list to one.
  const schema = { 'x-type': 'object', description, examples };
  return own<Record<string, unknown>>('HutchJsonObject', { ...schema, elysiaMeta: bounds });
}

export interface OneOfOptions {
  tag: string;
  variants: Record<string, TObject>;
}

/** An object in one of several forms, which its field `tag` names, so that errors name the field. */
export function OneOf<V extends Record<string, TObject>>(tag: string, variants: V) {
  const schema = { oneOf: Object.values(variants), elysiaMeta: { tag, variants } };
  return own<Static<V[keyof V]>>('HutchOneOf', schema);
}

export interface ChoiceOptions {
  default?: string;
  description?: string;
}

/** One of several texts. `name` is that of the enum in the OpenAPI document and in generated clients. */
export function Choice<const V extends string>(
  name: string,
  values: readonly V[],
  options: ChoiceOptions = {},
) {
  return own<V>('HutchChoice', { type: 'string', enum: values, 'x-enum': name, ...options });
}

/**
 * An object with any names. Not t.Record(t.String(), …), whose pattern matches no line break: a value
 * under such a name would be refused without a reason or not validated at all.
 */
export function Dictionary<T extends TSchema>(value: T, options: ObjectOptions = {}) {
  const schema = Type.Record(Type.String({ pattern: '^[\\s\\S]*$' }), value, options);
  // Elysia would type the values of a body's record as unknown.
  return Type.Unsafe<Record<string, Static<T>>>(schema);
}

/** true or false. */
export function Flag(options: { default?: boolean; description?: string } = {}) {
  return own<boolean>('HutchFlag', { type: 'boolean', ...options });
}

/** A UTC time with milliseconds, such as `2026-11-22T16:00:00.000Z`. */
export function Timestamp() {
  const examples = ['2026-11-22T16:00:00.000Z'];
  // Only for our own times in responses, so the length is a sufficient check.
  return Type.String({ minLength: 24, maxLength: 24, 'x-format': 'date-time', examples });
}

/** A time that clients send, as RFC 3339 or as a date. Services store it in UTC with milliseconds. */
export function Time(options: { description?: string } = {}) {
  const examples = ['2026-11-22T16:00:00Z'];
  return own<string>('HutchTime', {
    type: 'string',
    'x-format': 'date-time',
    examples,
    ...options,
  });
}

/** A whole number in a path or a query. api/request/parameters.ts converts its text. */
export function IntegerText(options: IntegerOptions = {}) {
  const { minimum = -Number.MAX_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = options;
  const schema = { type: 'integer', ...options, minimum, maximum };
  return own<number>('HutchIntegerText', schema);
}

/** NUL ends a string for SQLite's functions; PostgreSQL refuses it altogether. */
function storable(options: TextOptions): TextOptions {
  return { pattern: '^[^\\u0000]*$', ...options };
}
