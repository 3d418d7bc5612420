import type { Cached } from '../../core/cache.ts';
import { answerJson } from './json.ts';

const texts = new WeakMap<object, string>();

/**
 * Answers a cached value, as `show` makes it, with X-Cache and Age. Its JSON is made once for as
 * long as the cache keeps the value, which halves the cost of a hit: one value, one `show`. Typed
 * as what is shown, so that the route's schema and the client see what is sent.
 */
export function answerCached<T extends object, S>(
  { value, state, ageSeconds }: Cached<T>,
  set: { headers: Record<string, string | number> },
  show: (value: T) => S,
): S {
  let text = texts.get(value);
  if (text === undefined) {
    text = JSON.stringify(show(value));
    texts.set(value, text);
  }
  return answerJson(text, set, { 'x-cache': state, age: String(ageSeconds) });
}
