import { type AnyAnswer, failed, succeeded } from './answer.ts';
import { errorOfFailure, errorOfResponse } from './errors.ts';
import { readEvents } from './event-reader.ts';

/** A response and its call. */
export interface Received {
  /** The method and path, for messages. */
  call: string;
  response: Response;
  signal: AbortSignal | undefined;
}

const JSON_TYPE = /^application\/(json|[\w.-]+\+json)$/;

/**
 * Reads a response: JSON is parsed, text is a string, server-sent events are a generator, and any other
 * type, such as an export, is a stream. Never rejects.
 */
export async function read({ call, response, signal }: Received): Promise<AnyAnswer> {
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  try {
    if (!response.ok)
      return failed(errorOfResponse(call, response, await errorValue(response, type)));
    return succeeded(response, await successData(response, type, call));
  } catch (cause) {
    return failed(errorOfFailure(call, cause, { signal, response }));
  }
}

/** Returns the parsed JSON of an error, or its text: proxies send other types. */
async function errorValue(response: Response, type: string): Promise<unknown> {
  const text = await response.text();
  if (!JSON_TYPE.test(type)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function successData(response: Response, type: string, call: string): Promise<unknown> {
  if (response.status === 204 || response.status === 205 || call.startsWith('HEAD ')) return null;
  if (JSON_TYPE.test(type)) return JSON.parse(await response.text());
  // Sent by a proxy or a captive portal; the API has no pages.
  if (type === 'text/html') throw new TypeError('a page instead of data');
  if (type === '') return (await response.text()) || null;
  const stream = response.body ?? new Blob().stream();
  if (type === 'text/event-stream') return readEvents(stream);
  return type === 'text/plain' ? response.text() : stream;
}
