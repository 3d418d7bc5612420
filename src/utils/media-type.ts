const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.-]+\+)?json$/;

/**
 * Whether a Content-Type header means JSON in UTF-8: application/json or application/*+json,
 * with no charset or charset utf-8. Other parameters are ignored.
 */
export function isJsonContentType(header: string | null): boolean {
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';');
  return JSON_TYPE.test(type.trim()) && parameters.every(isHarmless);
}

function isHarmless(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=');
  return name.trim() !== 'charset' || /^"?utf-?8"?$/.test(value.trim());
}
