import { Kind, type TSchema, TypeRegistry } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors';
import { Value } from '@sinclair/typebox/value';
import type { Problem } from '../../core/exceptions.ts';
import type {
  IntegerOptions,
  JsonObjectOptions,
  OneOfOptions,
  OwnKind,
  TextListOptions,
  TextOptions,
} from '../../schemas/kinds.ts';
import { isDeeperThan } from '../../utils/json/depth.ts';
import { isEmail } from '../../utils/text/email.ts';
import { codePoints, isStorable, nfc, tidy } from '../../utils/text/text.ts';
import { timeOf } from '../../utils/time/time.ts';

/** The sections of a request, in the order in which FastAPI lists them. */
type Section = 'path' | 'query' | 'body';

/** Problems that are listed: a body of 1 MiB could have a hundred thousand. */
const MAX_PROBLEMS = 1000;

export interface Sections {
  schemas: { params?: unknown; query?: unknown; body?: unknown };
  values: { params: unknown; query: unknown; body: unknown };
}

/** Returns all problems of a request's sections, as pydantic 2 names them. */
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

/** Returns the problems that `schema` finds in `value` at `loc` of the request. */
export function problemsOf(schema: TSchema, value: unknown, loc: Problem['loc']): Problem[] {
  const problems = new Map<string, Problem[]>();
  let count = 0;
  for (const error of Value.Errors(schema, value)) {
    // TypeBox reports a missing value and then its wrong type: only the first reason counts.
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

/** The reason for refusing a value, with pydantic 2's name and message. */
export interface Refusal {
  type: string;
  msg: string;
}

type Refuse = (schema: never, value: unknown) => Refusal | undefined;

const REFUSALS: Record<OwnKind, Refuse> = {
  HutchText: refuseText,
  HutchNullableText: (schema, value) => (value === null ? undefined : refuseText(schema, value)),
  HutchNullable: refuseNullable,
  HutchTextList: refuseTextList,
  HutchIntegerText: refuseIntegerText,
  HutchJsonObject: refuseJsonObject,
  HutchOneOf: refuseOneOf,
  HutchChoice: refuseChoice,
  HutchFlag: (_schema, value) => refuseFlag(value),
  HutchTime: (_schema, value) => refuseTime(value),
};

/** Registers our kinds with TypeBox. Calling it again has no effect. */
export function registerKinds(): void {
  for (const [kind, refuse] of Object.entries(REFUSALS)) {
    TypeRegistry.Set(kind, (schema, value) => !refuse(schema as never, value));
  }
}

/** Returns the reason why one of our kinds refuses `value`; undefined if it accepts it or is not ours. */
export function refusalOf(schema: object, value: unknown): Refusal | undefined {
  const kind = (schema as Record<PropertyKey, unknown>)[Kind] as OwnKind;
  return REFUSALS[kind]?.(schema as never, value);
}

function refuseText(schema: TextOptions, input: unknown) {
  const { minLength = 0, maxLength, format } = schema;
  if (typeof input !== 'string') {
    return { type: 'string_type', msg: 'Input should be a valid string' };
  }
  const value = storedForm(schema, input);
  const length = value.length < minLength ? value.length : codePoints(value);
  if (length < minLength) {
    const msg = `String should have at least ${plural(minLength, 'character')}`;
    return { type: 'string_too_short', msg };
  }
  if (length > maxLength) {
    const msg = `String should have at most ${plural(maxLength, 'character')}`;
    return { type: 'string_too_long', msg };
  }
  if (!isStorable(value)) {
    const msg = 'Value error, text must not contain NUL or lone surrogates';
    return { type: 'value_error', msg };
  }
  if (format === 'email' && !isEmail(value)) {
    return { type: 'value_error', msg: 'value is not a valid email address' };
  }
  return format === 'uri' ? refuseUrl(value) : undefined;
}

/** Returns the form in which a text is validated, stored and compared. */
export function storedForm(
  { format, elysiaMeta }: Pick<TextOptions, 'format' | 'elysiaMeta'>,
  text: string,
): string {
  if (format === 'email' || elysiaMeta === 'name') return tidy(text);
  return elysiaMeta === 'nfc' ? nfc(text) : text;
}

function refuseUrl(value: string): Refusal | undefined {
  const url = URL.parse(value);
  if (!url || /\s/.test(value)) {
    return { type: 'url_parsing', msg: 'Input should be a valid URL' };
  }
  return ['http:', 'https:'].includes(url.protocol)
    ? undefined
    : { type: 'url_scheme', msg: "URL scheme should be 'http' or 'https'" };
}

/** Accepts spaces around the number, but not `1e3`, `0x10` or anything beyond 2^53 - 1. */
function refuseIntegerText({ minimum, maximum }: IntegerOptions, value: unknown) {
  const isText = typeof value === 'string' && /^ *-?\d{1,400} *$/.test(value);
  if (!isText && !Number.isInteger(value)) {
    const msg = 'Input should be a valid integer, unable to parse string as an integer';
    return { type: 'int_parsing', msg };
  }
  const number = Number(value);
  if (minimum !== undefined && number < minimum) {
    const msg = `Input should be greater than or equal to ${minimum}`;
    return { type: 'greater_than_equal', msg };
  }
  if (maximum !== undefined && number > maximum) {
    return { type: 'less_than_equal', msg: `Input should be less than or equal to ${maximum}` };
  }
  return undefined;
}

function refuseTextList(schema: TextListOptions & { items: TextOptions }, value: unknown) {
  const list = Array.isArray(value) ? value : [value];
  if (list.length < schema.minItems) {
    const msg = `List should have at least ${plural(schema.minItems, 'item')}`;
    return { type: 'too_short', msg };
  }
  if (list.length > schema.maxItems) {
    return { type: 'too_long', msg: `List should have at most ${plural(schema.maxItems, 'item')}` };
  }
  for (const text of list) {
    const refusal = refuseText(schema.items, text);
    if (refusal) return refusal;
  }
  return undefined;
}

function refuseJsonObject({ elysiaMeta }: { elysiaMeta: JsonObjectOptions }, value: unknown) {
  const { maxBytes, maxDepth } = elysiaMeta;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { type: 'dict_type', msg: 'Input should be a valid dictionary' };
  }
  if (isDeeperThan(value, maxDepth)) {
    return { type: 'too_deep', msg: `Input should be nested at most ${maxDepth} deep` };
  }
  return Buffer.byteLength(JSON.stringify(value)) > maxBytes
    ? { type: 'too_long', msg: `Input should be at most ${maxBytes} bytes of JSON` }
    : undefined;
}

interface OneOfSchema {
  elysiaMeta: OneOfOptions;
}

/**
 * Returns the schema that a value must match: the variant of a tagged union that it names, or that of
 * a nullable value. Undefined if it names none and for other schemas.
 */
function formOf(schema: object, value: unknown): TSchema | undefined {
  const kind = (schema as Record<PropertyKey, unknown>)[Kind];
  if (kind === 'HutchNullable') return (schema as NullableSchema).elysiaMeta.inner;
  if (kind !== 'HutchOneOf') return undefined;
  const { tag, variants } = (schema as OneOfSchema).elysiaMeta;
  const name: unknown = typeof value === 'object' && value !== null && Reflect.get(value, tag);
  return typeof name === 'string' && Object.hasOwn(variants, name) ? variants[name] : undefined;
}

interface NullableSchema {
  elysiaMeta: { inner: TSchema };
}

function refuseNullable(schema: NullableSchema, value: unknown): Refusal | undefined {
  if (value === null) return undefined;
  const { inner } = schema.elysiaMeta;
  return refusalOf(inner, value) ?? refuseMismatch(inner, value);
}

const checks = new WeakMap<TSchema, TypeCheck<TSchema>>();

function refuseMismatch(schema: TSchema, value: unknown): Refusal | undefined {
  const check = checks.get(schema) ?? TypeCompiler.Compile(schema);
  checks.set(schema, check);
  return check.Check(value) ? undefined : { type: 'value_error', msg: 'Input is not valid' };
}

function refuseOneOf(schema: OneOfSchema, value: unknown): Refusal | undefined {
  const form = formOf(schema, value);
  const { tag, variants } = schema.elysiaMeta;
  if (!form) {
    const msg = `Input should be an object whose ${tag} is one of ${Object.keys(variants).join(', ')}`;
    return { type: 'union_tag_invalid', msg };
  }
  return refuseMismatch(form, value);
}

function refuseChoice({ enum: values }: { enum: string[] }, value: unknown) {
  if (typeof value === 'string' && values.includes(value)) return undefined;
  const quoted = values.map((it) => `'${it}'`);
  const last = quoted.pop();
  const list = quoted.length > 0 ? `${quoted.join(', ')} or ${last}` : last;
  return { type: 'literal_error', msg: `Input should be ${list}` };
}

function refuseFlag(value: unknown): Refusal | undefined {
  if (typeof value === 'boolean') return undefined;
  return typeof value === 'string'
    ? {
        type: 'bool_parsing',
        msg: 'Input should be a valid boolean, unable to interpret input',
      }
    : { type: 'bool_type', msg: 'Input should be a valid boolean' };
}

/** The refusal of a text that is not a time. */
const INVALID_TIME: Refusal = {
  type: 'datetime_from_date_parsing',
  msg: 'Input should be an existing date or an RFC 3339 time with its UTC offset, such as 2026-11-22T16:00:00Z',
};

/** Returns the stored form of a time, which may have spaces around it, or the reason to refuse it. */
export function readTime(text: string): string | Refusal {
  return timeOf(text.trim()) ?? INVALID_TIME;
}

function refuseTime(value: unknown): Refusal | undefined {
  if (typeof value !== 'string') {
    return { type: 'datetime_type', msg: 'Input should be a valid datetime' };
  }
  return timeOf(value) === undefined ? INVALID_TIME : undefined;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
