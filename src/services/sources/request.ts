import { MAX_URL_LENGTH } from '../../core/outbound/address.ts';
import { fillTemplate, namesIn, parseTemplate, type Template } from '../../utils/text/template.ts';
import type { Fields, PlainField, SourceFields } from './definition.ts';
import { ParameterError, readValues, type ValueFormat, type Values } from './values.ts';

/** A source whose secrets can be sent. */
export type PlainSource = Pick<
  SourceFields<PlainField>,
  'base_url' | 'method' | 'path' | 'body' | 'parameters' | 'forward_headers' | 'query' | 'headers'
>;

/** The input of one call. */
export interface CallInput {
  parameters: Readonly<Record<string, unknown>>;
  format: ValueFormat;
  /** The client's headers; those that the source lists are forwarded. */
  headers?: Headers | undefined;
}

export interface SourceRequest {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string;
}

/** Matches header values without CR, LF or anything that a server could mistake for them. */
export const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/** Builds the request of a call. Throws ParameterError. */
export function requestOf(source: PlainSource, input: CallInput): SourceRequest {
  const values = readValues(source.parameters, input.parameters, input.format);
  const body = source.body === null ? undefined : JSON.stringify(filledBody(source.body, values));
  const url = urlOf(source, values);
  if (url.length > MAX_URL_LENGTH) throw tooLong(values);
  return {
    method: source.method,
    url,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...forwardedHeaders(source, input.headers),
      ...headersOf(source.headers, values),
    },
    ...(body !== undefined && { body }),
  };
}

/** Blames the longest value: the template itself was checked when the source was saved. */
function tooLong(values: Values): ParameterError {
  const lengths = [...values].map(([name, value]) => ({ name, length: String(value).length }));
  const { name } = lengths.reduce((a, b) => (b.length > a.length ? b : a), { name: '', length: 0 });
  const msg = `The URL would be over ${MAX_URL_LENGTH} characters`;
  return new ParameterError([{ name, type: 'string_too_long', msg }]);
}

/** The client's headers that the source forwards. */
export function forwardedHeaders(
  { forward_headers }: Pick<PlainSource, 'forward_headers'>,
  headers: Headers | undefined,
): Record<string, string> {
  const entries = forward_headers.flatMap((name) => {
    const value = headers?.get(name);
    return value && HEADER_VALUE.test(value) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entries);
}

function urlOf({ base_url, path, query }: PlainSource, values: Values): string {
  const pairs = Object.entries(query).flatMap(([name, field]) => {
    const value = typeof field === 'string' ? filled(field, values) : field.secret;
    return value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`];
  });
  const base = base_url.replace(/\/$/, '');
  const segments = path.split('/').map((segment) => filledSegment(segment, values));
  const search = pairs.length > 0 ? `?${pairs.join('&')}` : '';
  return `${base}${segments.join('/')}${search}`;
}

/** Fills in one path segment. Throws ParameterError for values that would change the path. */
function filledSegment(text: string, values: Values): string {
  const template = templateOf(text);
  const [firstName] = namesIn(template);
  if (firstName === undefined) return fillTemplate(template, () => '');
  const segment = fillTemplate(template, (name) => {
    const value = String(values.get(name));
    // An encoded slash is part of one segment, but not to a server that decodes before it routes.
    if (value === '' || /[/\\\p{Cc}]/u.test(value)) throw notOneSegment(name);
    return encodeURIComponent(value);
  });
  // Dot segments have the same meaning when they are encoded.
  if (/^(?:\.|%2e){1,2}$/i.test(segment)) throw notOneSegment(firstName);
  return segment;
}

function notOneSegment(name: string): ParameterError {
  const msg = 'Value error, this must be one segment of a path';
  return new ParameterError([{ name, type: 'value_error', msg }]);
}

function headersOf(headers: Fields<PlainField>, values: Values): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, field]) => {
    if (typeof field !== 'string') return [[name, field.secret] as const];
    for (const parameter of namesIn(templateOf(field))) requireHeaderValue(parameter, values);
    const value = filled(field, values);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

function requireHeaderValue(name: string, values: Values): void {
  if (HEADER_VALUE.test(String(values.get(name) ?? ''))) return;
  const msg = 'Value error, this must be printable ASCII';
  throw new ParameterError([{ name, type: 'value_error', msg }]);
}

/** The text with its placeholders replaced; undefined if a value is missing. */
function filled(text: string, values: Values): string | undefined {
  const template = templateOf(text);
  if (namesIn(template).some((name) => !values.has(name))) return undefined;
  return fillTemplate(template, (name) => String(values.get(name)));
}

/** The body with its placeholders replaced. A text that is one placeholder is replaced by the value with its type. */
function filledBody(body: unknown, values: Values): unknown {
  if (typeof body === 'string') {
    const [first, ...rest] = templateOf(body);
    const isPlaceholder = typeof first === 'object' && rest.length === 0;
    return isPlaceholder ? values.get(first.name) : filled(body, values);
  }
  if (Array.isArray(body)) {
    return body.map((it) => filledBody(it, values)).filter((it) => it !== undefined);
  }
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([key, it]) => [key, filledBody(it, values)]));
}

const templates = new Map<string, Template>();
/** More than the sources of a server contain; above it the cache is cleared. */
const MAX_TEMPLATES = 10_000;

/** The parsed template, cached. It was validated when the source was saved. */
function templateOf(text: string): Template {
  const cached = templates.get(text);
  if (cached) return cached;
  const template = parseTemplate(text) ?? [text];
  if (templates.size >= MAX_TEMPLATES) templates.clear();
  templates.set(text, template);
  return template;
}
