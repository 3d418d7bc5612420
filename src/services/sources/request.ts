import { MAX_URL_LENGTH } from '../../core/outbound/address.ts';
import { fillTemplate, namesIn, parseTemplate, type Template } from '../../utils/text/template.ts';
import type { Fields, PlainField, SourceFields } from './definition.ts';
import { ParameterError, readValues, type Spelling, type Values } from './values.ts';

/** A source whose secrets can be sent. */
export type PlainSource = Pick<
  SourceFields<PlainField>,
  'base_url' | 'method' | 'path' | 'body' | 'parameters' | 'forward_headers' | 'query' | 'headers'
>;

/** What a caller gives. */
export interface Given {
  parameters: Readonly<Record<string, unknown>>;
  spelling: Spelling;
  /** The client's headers, of which the source may list some. */
  headers?: Headers | undefined;
}

/** What is sent. */
export interface SourceRequest {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string;
}

/** What may stand in a header: no CR, no LF, nothing that a server could take for either. */
export const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/** The request of a source for what a caller gives. Throws ParameterError. */
export function requestOf(source: PlainSource, given: Given): SourceRequest {
  const values = readValues(source.parameters, given.parameters, given.spelling);
  const body = source.body === null ? undefined : JSON.stringify(filledBody(source.body, values));
  const url = urlOf(source, values);
  if (url.length > MAX_URL_LENGTH) throw tooLong(values);
  return {
    method: source.method,
    url,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...forwardedOf(source, given.headers),
      ...headersOf(source.headers, values),
    },
    ...(body !== undefined && { body }),
  };
}

/** Said of the longest: without a value there would be a source that nobody can call. */
function tooLong(values: Values): ParameterError {
  const lengths = [...values].map(([name, value]) => ({ name, length: String(value).length }));
  const { name } = lengths.reduce((a, b) => (b.length > a.length ? b : a), { name: '', length: 0 });
  const msg = `The URL would be over ${MAX_URL_LENGTH} characters`;
  return new ParameterError([{ name, type: 'string_too_long', msg }]);
}

/** The headers of the client's that the source lists, as far as they were sent. */
export function forwardedOf(
  { forward_headers }: Pick<PlainSource, 'forward_headers'>,
  headers: Headers | undefined,
): Record<string, string> {
  const sent = forward_headers.flatMap((name) => {
    const value = headers?.get(name);
    return value && HEADER_VALUE.test(value) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(sent);
}

function urlOf({ base_url, path, query }: PlainSource, values: Values): string {
  const pairs = Object.entries(query).flatMap(([name, field]) => {
    const value = typeof field === 'string' ? filled(field, values) : field.secret;
    return value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`];
  });
  const base = base_url.replace(/\/$/, '');
  const search = pairs.length > 0 ? `?${pairs.join('&')}` : '';
  return `${base}${path
    .split('/')
    .map((part) => segmentOf(part, values))
    .join('/')}${search}`;
}

/** One segment, whatever the values are. Throws ParameterError for what would be another path. */
function segmentOf(text: string, values: Values): string {
  const template = templateOf(text);
  const [name] = namesIn(template);
  if (name === undefined) return fillTemplate(template, () => '');
  const segment = fillTemplate(template, (name) => {
    const value = String(values.get(name));
    // Encoded, it is one segment to us; to a server that decodes before it routes, it is not.
    if (value === '' || /[/\\\p{Cc}]/u.test(value)) throw notOneSegment(name);
    return encodeURIComponent(value);
  });
  // No encoding takes their meaning from these.
  if (/^(?:\.|%2e){1,2}$/i.test(segment)) throw notOneSegment(name);
  return segment;
}

function notOneSegment(name: string): ParameterError {
  const msg = 'Value error, this must be one segment of a path';
  return new ParameterError([{ name, type: 'value_error', msg }]);
}

function headersOf(headers: Fields<PlainField>, values: Values): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, field]) => {
    if (typeof field !== 'string') return [[name, field.secret] as const];
    for (const place of namesIn(templateOf(field))) refuseInHeader(place, values);
    const value = filled(field, values);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

function refuseInHeader(name: string, values: Values): void {
  if (HEADER_VALUE.test(String(values.get(name) ?? ''))) return;
  const msg = 'Value error, this must be printable ASCII';
  throw new ParameterError([{ name, type: 'value_error', msg }]);
}

/** Undefined where a value is missing: what it stands in is left out. */
function filled(text: string, values: Values): string | undefined {
  const template = templateOf(text);
  if (namesIn(template).some((name) => !values.has(name))) return undefined;
  return fillTemplate(template, (name) => String(values.get(name)));
}

/** Values stay what they are where a text is nothing but their place; keys are never filled. */
function filledBody(body: unknown, values: Values): unknown {
  if (typeof body === 'string') {
    const [only, ...more] = templateOf(body);
    const isPlace = typeof only === 'object' && more.length === 0;
    return isPlace ? values.get(only.name) : filled(body, values);
  }
  if (Array.isArray(body)) {
    return body.map((it) => filledBody(it, values)).filter((it) => it !== undefined);
  }
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([key, it]) => [key, filledBody(it, values)]));
}

const templates = new Map<string, Template>();
/** More than all sources of a server have; then it begins anew. */
const MAX_TEMPLATES = 10_000;

/** As it was judged when the source was saved. */
function templateOf(text: string): Template {
  const known = templates.get(text);
  if (known) return known;
  const template = parseTemplate(text) ?? [text];
  if (templates.size >= MAX_TEMPLATES) templates.clear();
  templates.set(text, template);
  return template;
}
