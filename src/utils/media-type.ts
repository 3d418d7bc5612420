const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.-]+\+)?json$/;

/** The type of a Content-Type header in lower case, without parameters; empty for none. */
export function mediaTypeOf(header: string | null): string {
  return (header ?? '').toLowerCase().split(';')[0]?.trim() ?? '';
}

/** Whether a media type is JSON: application/json or application/*+json. */
export function isJsonType(type: string): boolean {
  return JSON_TYPE.test(type);
}

/** Whether a Content-Type header names no charset, or utf-8. */
export function isUtf8(header: string | null): boolean {
  const [, ...parameters] = (header ?? '').toLowerCase().split(';');
  return parameters.every(isHarmless);
}

function isHarmless(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=');
  return name.trim() !== 'charset' || /^"?utf-?8"?$/.test(value.trim());
}
