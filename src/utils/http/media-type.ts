import { partsOf, unquoted } from './header-grammar.ts';

const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;
const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.-]+\+)?json$/;

/** Returns the type of a Content-Type header in lower case, without parameters; empty for none. */
export function mediaTypeOf(header: string | null): string {
  return (header ?? '').toLowerCase().split(';')[0]?.trim() ?? '';
}

/** Returns true if `type` is a media type in lower case, without parameters. */
export function isMediaType(type: string): boolean {
  return MEDIA_TYPE.test(type);
}

/** True if a media type is JSON: application/json or application/*+json. */
export function isJsonType(type: string): boolean {
  return JSON_TYPE.test(type);
}

/** True if a Content-Type header names no charset, or utf-8. */
export function isUtf8(header: string | null): boolean {
  const [, ...parameters] = partsOf(header, ';');
  return parameters.every(isHarmless);
}

/** True if a Content-Encoding header names no coding, or only identity. */
export function isIdentity(header: string | null): boolean {
  return partsOf(header, ',').every((coding) => coding.toLowerCase() === 'identity');
}

function isHarmless(parameter: string): boolean {
  const at = parameter.indexOf('=');
  const [name, value] = [parameter.slice(0, at), unquoted(parameter.slice(at + 1))];
  return name.trim().toLowerCase() !== 'charset' || /^utf-?8$/i.test(value.trim());
}
