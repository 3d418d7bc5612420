import type { FieldProblem } from '../../core/exceptions.ts';
import { OutboundError } from '../../core/outbound/errors.ts';
import { checkedHeaders } from '../../core/outbound/request.ts';
import { isJsonType, isMediaType } from '../../utils/http/media-type.ts';
import { isDeeperThan } from '../../utils/json/depth.ts';
import { parsePattern } from '../../utils/text/plain-pattern.ts';
import { literalOf, namesIn, parseTemplate } from '../../utils/text/template.ts';
import { isStorable } from '../../utils/text/text.ts';
import { type HostRules, parseCallable } from '../outbound-url.ts';
import type { EditedField, Fields, SourceFields, SourceParameter } from './definition.ts';
import { HEADER_VALUE, requestOf } from './request.ts';
import { ParameterError, readValue } from './values.ts';

type EditedSource = SourceFields<EditedField>;
/** Reports a problem with the field at `path`. */
type Refuse = (path: (string | number)[], msg: string, type?: string) => void;

/** Most bytes of a body template, as JSON, and its deepest nesting. */
const MAX_BODY_BYTES = 16_384;
const MAX_BODY_DEPTH = 20;
/** Longest value of a header or of the query, secret or not. */
const MAX_VALUE_LENGTH = 8_192;
const MAX_FIELDS = 50;
/** Characters that a path may contain literally; others must be percent-encoded. */
const PATH = /^(?:[\w.~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*$/i;
const DOTS = /^(?:\.|%2e){1,2}$/i;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
/** Headers that the gateway sets itself or that belong to one connection (RFC 9110, 7.6.1). */
const GATEWAY_HEADERS =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|accept|accept-encoding|user-agent|range|if-.*|proxy-.*)$/;
/** Headers that identify the client to this server and must not be forwarded to another. */
const CLIENT_HEADERS =
  /^(?:authorization|cookie|content-type|forwarded|via|x-forwarded-.*|sec-.*)$/;
/** The rules that apply to each type of parameter. */
const RULES: Record<SourceParameter['type'], readonly (keyof SourceParameter)[]> = {
  string: ['max_length', 'pattern'],
  integer: ['min', 'max'],
  number: ['min', 'max'],
  boolean: [],
  enum: ['values'],
};
const ALL_RULES = ['max_length', 'pattern', 'min', 'max', 'values'] as const;
const INVALID_TEMPLATE =
  'is not a valid template: a parameter is written as {name}, a brace as {{ or }}';

/** All problems of a source whose shape has already been validated. */
export function problemsOf(
  source: EditedSource & { name: string },
  hosts: HostRules,
): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const refuse: Refuse = (path, msg, type = 'value_error') => problems.push({ type, path, msg });
  if (source.name === 'fetch') refuse(['name'], 'is reserved for POST /sources/fetch');
  checkBaseUrl(source.base_url, hosts, refuse);
  checkPath(source, refuse);
  checkFields('query', source.query, refuse, () => undefined);
  checkFields('headers', source.headers, refuse, headerProblem);
  checkAccept(source, refuse);
  checkForwardHeaders(source, refuse);
  const texts = checkBody(source, refuse);
  checkParameters(source.parameters, refuse);
  checkPlaceholders(source, texts, refuse);
  checkCaching(source, refuse);
  // The refresh parameters can be tried only if the definition is otherwise valid.
  if (problems.length === 0) checkRefresh(source, refuse);
  return problems;
}

function checkBaseUrl(base_url: string, hosts: HostRules, refuse: Refuse): void {
  if (/[?#]/.test(base_url)) refuse(['base_url'], 'must have no query and no fragment');
  try {
    parseCallable(base_url, hosts);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    refuse(['base_url'], error.message, error.code);
  }
}

function checkPath({ path, parameters }: EditedSource, refuse: Refuse): void {
  const template = parseTemplate(path);
  if (!template) {
    refuse(['path'], INVALID_TEMPLATE);
    return;
  }
  if (path !== '' && !path.startsWith('/')) refuse(['path'], 'must start with /');
  if (!PATH.test(literalOf(template))) {
    refuse(['path'], 'contains characters that must be percent-encoded');
  }
  if (path.split('/').some((segment) => DOTS.test(segment))) {
    refuse(['path'], 'must have no segment that consists of dots');
  }
  const optional = parameters.filter((it) => !it.required && it.default === undefined);
  const missing = optional.find(({ name }) => namesIn(template).includes(name));
  if (missing) refuse(['path'], `{${missing.name}} must be required or have a default`);
}

/** The problem of a header or query field, whose value may be a secret that no message shows. */
type FieldCheck = (name: string, value: string) => string | undefined;

function checkFields(
  place: 'query' | 'headers',
  fields: Fields<EditedField>,
  refuse: Refuse,
  check: FieldCheck,
): void {
  if (Object.keys(fields).length > MAX_FIELDS) {
    refuse([place], `must have at most ${MAX_FIELDS} fields`);
  }
  for (const [name, field] of Object.entries(fields)) {
    const problem = nameProblem(name) ?? valueProblem(name, field, check);
    if (problem !== undefined) refuse([place, name], problem);
  }
}

function nameProblem(name: string): string | undefined {
  const isValid = name !== '' && name.length <= 100 && isStorable(name);
  return isValid ? undefined : 'has an invalid name';
}

function valueProblem(name: string, field: EditedField, check: FieldCheck): string | undefined {
  if (typeof field === 'object' && 'sealed' in field) return check(name, '');
  const isSecret = typeof field === 'object';
  const text = isSecret ? field.secret : field;
  if (text.length > MAX_VALUE_LENGTH || !isStorable(text)) return 'has an invalid value';
  if (isSecret) return text === '' ? 'must not be empty' : check(name, text);
  const template = parseTemplate(text);
  return template ? check(name, literalOf(template)) : INVALID_TEMPLATE;
}

function headerProblem(name: string, value: string): string | undefined {
  if (!HEADER_NAME.test(name)) return 'must be a header name in lower case';
  if (GATEWAY_HEADERS.test(name)) return `${name} cannot be set by a source`;
  if (!HEADER_VALUE.test(value)) return 'must be printable ASCII';
  if (value !== value.trim()) return 'must not start or end with a space';
  const refusal = outboundRefusal({ [name]: value });
  if (refusal !== undefined) return refusal;
  const isOther = name === 'content-type' && value !== '' && !isJsonType(value);
  return isOther ? 'must be a JSON media type' : undefined;
}

/** The reason why the outbound client would refuse `headers`; it shows no value. */
function outboundRefusal(headers: Record<string, string>): string | undefined {
  try {
    checkedHeaders(headers, false);
    return undefined;
  } catch (error) {
    if (error instanceof OutboundError) return error.message;
    throw error;
  }
}

function checkAccept({ accept }: EditedSource, refuse: Refuse): void {
  for (const [index, type] of accept.entries()) {
    if (!isMediaType(type)) refuse(['accept', index], 'must be a media type in lower case');
  }
}

function checkForwardHeaders({ headers, forward_headers }: EditedSource, refuse: Refuse): void {
  for (const [index, name] of forward_headers.entries()) {
    const path = ['forward_headers', index];
    if (!HEADER_NAME.test(name)) refuse(path, 'must be a header name in lower case');
    else if (CLIENT_HEADERS.test(name) || headerProblem(name, '') !== undefined) {
      refuse(path, `${name} is never forwarded`, 'header_refused');
    } else if (Object.hasOwn(headers, name)) refuse(path, `${name} is set by the source itself`);
  }
}

/** Returns the templates in the body. */
function checkBody({ method, body }: EditedSource, refuse: Refuse): string[] {
  if (body !== null && method !== 'POST') refuse(['body'], 'is sent only with POST');
  // Before anything that recurses into the body.
  if (isDeeperThan(body, MAX_BODY_DEPTH)) {
    refuse(['body'], `must be nested at most ${MAX_BODY_DEPTH} levels deep`, 'too_deep');
    return [];
  }
  if (Buffer.byteLength(JSON.stringify(body)) > MAX_BODY_BYTES) {
    refuse(['body'], `must be at most ${MAX_BODY_BYTES} bytes of JSON`, 'too_long');
  }
  const texts = textsIn(body);
  const isTemplate = (text: string) => isStorable(text) && parseTemplate(text) !== undefined;
  if (!texts.every(isTemplate)) refuse(['body'], `A text ${INVALID_TEMPLATE}`);
  return texts;
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

/** Refuses parameters that are inconsistent or contradict each other. */
function checkParameters(parameters: readonly SourceParameter[], refuse: Refuse): void {
  const seen = new Set<string>();
  for (const [index, parameter] of parameters.entries()) {
    const at = ['parameters', index];
    if (seen.has(parameter.name)) refuse(at, `${parameter.name} is defined twice`);
    seen.add(parameter.name);
    checkParameter(parameter, (path, msg, type) => refuse([...at, ...path], msg, type));
  }
}

function checkParameter(parameter: SourceParameter, refuse: Refuse): void {
  const { type, min, max, pattern, values, required } = parameter;
  for (const rule of ALL_RULES) {
    if (parameter[rule] === undefined || RULES[type].includes(rule)) continue;
    refuse([rule], `does not apply to a parameter of type ${type}`);
  }
  if (type === 'enum' && !values?.length) refuse(['values'], 'Field required', 'missing');
  if (min !== undefined && max !== undefined && min > max) refuse(['max'], 'must not be below min');
  if (pattern !== undefined && !parsePattern(pattern)) {
    refuse(['pattern'], 'must be a plain pattern without groups, alternatives or references');
  }
  if (parameter.default === undefined) return;
  if (required) refuse(['default'], 'is never used because the parameter is required');
  const result = readValue(parameter, parameter.default, 'json');
  if (!('value' in result)) refuse(['default'], result.msg, result.type);
}

/** Checks that every placeholder has its parameter and every parameter is used. */
function checkPlaceholders(source: EditedSource, bodyTexts: string[], refuse: Refuse): void {
  const { path, query, headers, parameters } = source;
  const templatesOf = (fields: Fields<EditedField>, place: string) =>
    Object.entries(fields).map(([name, field]) => [[place, name], field] as const);
  const placeholders = [
    [['path'], path] as const,
    ...templatesOf(query, 'query'),
    ...templatesOf(headers, 'headers'),
    ...bodyTexts.map((text) => [['body'], text] as const),
  ].flatMap(([at, text]) =>
    typeof text === 'string'
      ? namesIn(parseTemplate(text) ?? []).map((name) => ({ at, name }))
      : [],
  );
  const defined = new Set(parameters.map(({ name }) => name));
  for (const { at, name } of placeholders) {
    if (!defined.has(name)) refuse([...at], `{${name}} is not a parameter`, 'unknown_parameter');
  }
  const used = new Set(placeholders.map(({ name }) => name));
  for (const [index, { name }] of parameters.entries()) {
    if (!used.has(name)) refuse(['parameters', index], `${name} is not used`, 'unused_parameter');
  }
}

function checkCaching(source: EditedSource, refuse: Refuse): void {
  const { method, ttl_seconds, stale_seconds, refresh } = source;
  if (ttl_seconds !== 0 && method !== 'GET') {
    refuse(['ttl_seconds'], 'must be 0: only responses to GET are cached');
  }
  if (ttl_seconds === 0 && stale_seconds !== 0) {
    refuse(['stale_seconds'], 'must be 0 when nothing is cached');
  }
  if (refresh === null) return;
  if (!isCron(refresh)) {
    refuse(['refresh'], 'must be a cron expression of 5 fields that matches some time');
  }
  if (ttl_seconds === 0) refuse(['refresh'], 'needs cached responses, but ttl_seconds is 0');
}

function isCron(text: string): boolean {
  try {
    return Bun.cron.parse(text, Date.now(), { tz: 'UTC' }) !== null;
  } catch {
    return false;
  }
}

/** Refuses refresh parameters that would be refused in a call. */
function checkRefresh(source: EditedSource, refuse: Refuse): void {
  if (source.refresh === null) return;
  const plain = { ...source, query: {}, headers: {}, forward_headers: [] };
  for (const [index, parameters] of source.refresh_parameters.entries()) {
    try {
      requestOf(plain, { parameters, format: 'json' });
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error;
      for (const { name, type, msg } of error.problems) {
        refuse(['refresh_parameters', index, name], msg, type);
      }
    }
  }
}
