import type { Cached } from '../../core/cache.ts';
import type { ResponseSet } from './response-set.ts';

/**
 * Responds with `text`, which is JSON. The type is that of the JSON's value, for the route's schema
 * and the client. Elysia would first copy each value by the schema and then stringify it.
 */
export function respondJson<T>(
  text: string,
  set: ResponseSet,
  more: Record<string, string> = {},
  status = 200,
): T {
  const headers = {
    ...(set.headers as Record<string, string>),
    // Without a charset, because clients of oapi-codegen compare it if a route has several media types.
    'content-type': 'application/json',
    ...more,
  };
  // Otherwise Elysia would copy each header into the response.
  set.headers = {};
  return new Response(text, { headers, status }) as unknown as T;
}

/** Responds with a value that has only properties of the route's schema, without copying it. */
export async function respondAsIs<T extends object>(
  value: Promise<T>,
  set: ResponseSet,
): Promise<T> {
  return respondJson(JSON.stringify(await value), set);
}

const texts = new WeakMap<object, string>();

/**
 * Responds with a cached value, converted by `show`, with X-Cache and Age; each value must always have
 * the same `show`. The type is that of the converted value, for the route's schema and the client.
 */
export function respondCached<T extends object, S>(
  cached: Cached<T>,
  set: ResponseSet,
  show: (value: T) => S,
): S {
  return respondCachedText(cached, set, (value) => JSON.stringify(show(value)));
}

/**
 * Does the same with a value that `encode` converts to JSON. The JSON is built once while the value is
 * cached, which halves the cost of a hit.
 */
export function respondCachedText<T extends object, S>(
  { value, state, ageSeconds }: Cached<T>,
  set: ResponseSet,
  encode: (value: T) => string,
): S {
  let text = texts.get(value);
  if (text === undefined) {
    text = encode(value);
    texts.set(value, text);
  }
  return respondJson(text, set, { 'x-cache': state, age: String(ageSeconds) });
}
