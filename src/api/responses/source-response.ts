import type { SourceResponse } from '../../services/sources/calls.ts';
import { isJsonType } from '../../utils/http/media-type.ts';
import type { ResponseSet } from './response-set.ts';

const texts = new WeakMap<object, string>();

/**
 * Responds with the response of a source: JSON, or any other type as plain text, which browsers do not
 * show as a page of this server. No header of the source is passed on. The JSON of a cached response
 * is built once.
 */
export function respondSource({ reply, freshSeconds }: SourceResponse, set: ResponseSet): Response {
  const { mediaType, data, status, cache, ageSeconds } = reply;
  const isText = typeof data === 'string' && !isJsonType(mediaType);
  const headers = {
    ...(set.headers as Record<string, string>),
    'x-cache': cache,
    'x-source-status': String(status),
    ...(cache !== 'off' && { age: String(ageSeconds) }),
    // Private, because a purge here would not reach shared caches.
    'cache-control': freshSeconds > 0 ? `private, max-age=${freshSeconds}` : 'no-store',
    'content-type': isText ? 'text/plain;charset=utf-8' : 'application/json;charset=utf-8',
  };
  set.headers = {};
  return new Response(isText ? data : textOf(data), { headers });
}

function textOf(data: unknown): string {
  if (typeof data !== 'object' || data === null) return JSON.stringify(data);
  const text = texts.get(data) ?? JSON.stringify(data);
  texts.set(data, text);
  return text;
}
