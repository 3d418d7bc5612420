import { type AnyAnswer, failed, succeeded } from './answer.ts';
import { errorOfFailure, errorOfResponse } from './errors.ts';
import { readEvents } from './event-reader.ts';

/** A request that was answered. */
export interface Answered {
  /** Its method and path, for messages. */
  call: string;
  response: Response;
  signal: AbortSignal | undefined;
}

const JSON_TYPE = /^application\/(json|[\w.-]+\+json)$/;

/**
 * The result of a response: JSON parsed, text as a string, server-sent events as a generator, and
 * any other type, such as an export, as a stream. Never rejects.
 */
export async function read({ call, response, signal }: Answered): Promise<AnyAnswer> {
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  try {
    if (!response.ok)
      return failed(errorOfResponse(call, response, await errorValue(response, type)));
    return succeeded(response, await successData(response, type, call));
  } catch (cause) {
    return failed(errorOfFailure(call, cause, { signal, response }));
  }
}

/** The parsed JSON of an error, or its text where there is none: a proxy writes what it likes. */
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
  // As a proxy or a captive portal sends it; the API has no pages.
  if (type === 'text/html') throw new TypeError('a page instead of data');
  if (type === '') return (await response.text()) || null;
  const stream = response.body ?? new Blob().stream();
  if (type === 'text/event-stream') return readEvents(stream);
  return type === 'text/plain' ? response.text() : stream;
}
