import { afterEach } from 'bun:test';
import { leaks, textSent, watched } from './leaks.ts';

/** Before any test: what the tests fetch is looked at too, and a leak fails the test it is in. */
const realFetch = globalThis.fetch;

globalThis.fetch = Object.assign(watchedFetch, { preconnect: realFetch.preconnect });

afterEach(() => {
  const found = leaks.takeFound();
  if (found.length > 0) throw new Error(found.join('\n'));
});

async function watchedFetch(input: string | URL | Request, init?: BunFetchRequestInit) {
  const { origin } = new URL(input instanceof Request ? input.url : input);
  // Hutch's own outbound requests also pass here.
  const own = watched.get(origin)?.();
  if (!own) return realFetch(input, init);
  own.request(headersOf(input, init), await bodyOf(input, init));
  const answer = await realFetch(input, init);
  // A stream of events has no end to wait for.
  if (answer.headers.get('content-type') === 'text/event-stream') return answer;
  const body = await textOf(answer.clone());
  own.answer(answer.headers, body, answer.url);
  return answer;
}

function headersOf(input: string | URL | Request, init?: BunFetchRequestInit): Headers {
  return new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
}

async function bodyOf(input: string | URL | Request, init?: BunFetchRequestInit): Promise<string> {
  return input instanceof Request ? input.clone().text() : textSent(init?.body);
}

/** A connection that breaks is for the test to see, not for us. */
async function textOf(answer: { text(): Promise<string> }): Promise<string> {
  try {
    return await answer.text();
  } catch {
    return '';
  }
}
