import type { SourceResponse } from '../../services/sources/calls.ts';
import { isJsonType } from '../../utils/http/media-type.ts';
import type { ResponseSet } from './response-set.ts';

const texts = new WeakMap<object, string>();

/**
 * Answers what a source answered: JSON, or any other type as plain text, which no browser takes
 * for a page of this server. Of the source's headers none is passed on. Its JSON is written once
 * for as long as it is kept.
 */
export function answerSource({ reply, freshSeconds }: SourceResponse, set: ResponseSet): Response {
  const { mediaType, data, status, cache, ageSeconds } = reply;
  const isText = typeof data === 'string' && !isJsonType(mediaType);
  const headers = {
    ...(set.headers as Record<string, string>),
    'x-cache': cache,
    'x-source-status': String(status),
    ...(cache !== 'off' && { age: String(ageSeconds) }),
    // What it was kept as is no shared cache's business: it may be gone here meanwhile.
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
