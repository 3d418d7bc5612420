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

/**
 * Returns whether an Accept header (RFC 9110 12.5.1) prefers HTML to JSON, as browsers do when they
 * open a page. Most programs accept anything or JSON, and do not.
 */
export function prefersHtml(accept: string | null): boolean {
  const ranges = (accept ?? '').toLowerCase().split(',').map(readRange);
  return weightOf('text/html', ranges) > weightOf('application/json', ranges);
}

interface MediaRange {
  type: string;
  weight: number;
}

function readRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
  const weight = parameters.find((it) => it.startsWith('q='))?.slice(2) ?? '1';
  return { type, weight: /^[01](?:\.\d{0,3})?$/.test(weight) ? Number(weight) : 0 };
}

/** The weight of the most specific range that covers `type`; 0 for none. */
function weightOf(type: string, ranges: MediaRange[]): number {
  const names = [type, `${type.split('/')[0]}/*`, '*/*'];
  const covering = names.map((name) => ranges.find((range) => range.type === name));
  return covering.find((range) => range !== undefined)?.weight ?? 0;
}
