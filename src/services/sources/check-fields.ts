import { OutboundError } from '../../core/outbound/errors.ts';
import { checkedHeaders } from '../../core/outbound/request.ts';
import { isJsonType, isMediaType } from '../../utils/http/media-type.ts';
import { literalOf, parseTemplate } from '../../utils/text/template.ts';
import { isStorable } from '../../utils/text/text.ts';
import type { Refuse } from './check.ts';
import type { Fields, PlainField, SourceFields, StoredField } from './definition.ts';
import { HEADER_VALUE } from './request.ts';

/** A field of a source that is being saved: some secrets are new, the others sealed already. */
export type EditedField = StoredField | PlainField;

/** Longest value of a header or of the query, secret or not. */
const MAX_VALUE_LENGTH = 8_192;
const MAX_FIELDS = 50;
const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
/** What the gateway decides itself, and what is of one connection (RFC 9110, 7.6.1). */
const OWN_HEADERS =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|accept|accept-encoding|user-agent|range|if-.*|proxy-.*)$/;
/** What tells this server who asks must not tell another one. */
const CLIENT_HEADERS =
  /^(?:authorization|cookie|content-type|forwarded|via|x-forwarded-.*|sec-.*)$/;

/** Refuses queries, headers and lists of headers and media types that cannot be sent. */
export function checkFields(source: SourceFields<EditedField>, refuse: Refuse): void {
  const { query, headers, accept, forward_headers } = source;
  checkAll('query', query, refuse, () => undefined);
  checkAll('headers', headers, refuse, (name, value) => wrongHeader(name, value));
  for (const [index, type] of accept.entries()) {
    if (!isMediaType(type)) refuse(['accept', index], 'must be a media type, in lower case');
  }
  for (const [index, name] of forward_headers.entries()) {
    const at = ['forward_headers', index];
    if (!TOKEN.test(name)) refuse(at, 'must be the name of a header, in lower case');
    else if (CLIENT_HEADERS.test(name) || wrongHeader(name, '') !== undefined) {
      refuse(at, `${name} is not sent on`, 'header_refused');
    } else if (Object.hasOwn(headers, name)) refuse(at, `${name} is a header of the source itself`);
  }
}

type Wrong = (name: string, value: string) => string | undefined;

function checkAll(at: string, fields: Fields<EditedField>, refuse: Refuse, wrong: Wrong): void {
  if (Object.keys(fields).length > MAX_FIELDS) refuse([at], `must be at most ${MAX_FIELDS}`);
  for (const [name, field] of Object.entries(fields)) {
    const problem = wrongName(name) ?? wrongValue(name, field, wrong);
    if (problem !== undefined) refuse([at, name], problem);
  }
}

function wrongName(name: string): string | undefined {
  return name === '' || name.length > 100 || !isStorable(name) ? 'has no valid name' : undefined;
}

function wrongValue(name: string, field: EditedField, wrong: Wrong): string | undefined {
  if (typeof field === 'object' && 'sealed' in field) return wrong(name, '');
  const isSecret = typeof field === 'object';
  const text = isSecret ? field.secret : field;
  if (text.length > MAX_VALUE_LENGTH || !isStorable(text)) return 'has no valid value';
  if (isSecret) return text === '' ? 'must not be empty' : wrong(name, text);
  const template = parseTemplate(text);
  return template ? wrong(name, literalOf(template)) : 'is no template: a place is {name}';
}

/** Says nothing of the value: it may be a secret. */
function wrongHeader(name: string, value: string): string | undefined {
  if (!TOKEN.test(name)) return 'must be named in lower case, as HTTP allows';
  if (OWN_HEADERS.test(name)) return `${name} is not set by a source`;
  if (!HEADER_VALUE.test(value)) return 'must be printable ASCII';
  if (value !== value.trim()) return 'must not begin or end with a space';
  const refusal = refusedHeaders({ [name]: value });
  if (refusal !== undefined) return refusal;
  const isOther = name === 'content-type' && value !== '' && !isJsonType(value);
  return isOther ? 'must be a media type of JSON' : undefined;
}

/** Why the way out would refuse headers; its message shows no value. */
function refusedHeaders(headers: Record<string, string>): string | undefined {
  try {
    checkedHeaders(headers, false);
    return undefined;
  } catch (error) {
    if (error instanceof OutboundError) return error.message;
    throw error;
  }
}
