import { Elysia } from 'elysia';
import { LRUCache } from 'lru-cache';
import { AppError } from '../../core/exceptions.ts';

/** Placeholders for the host of a request that names none, or a malformed one. */
const NO_HOST = 'http://unnamed.invalid';
const MALFORMED_HOST = 'http://malformed.invalid';
/** The longest host, with its port, whose check is cached. */
const MAX_CACHED_LENGTH = 260;

/** The rest of a body up to this size is read and dropped, so that its connection can be reused. */
const MAX_DRAINED_BYTES = 1_048_576;

/**
 * Converts the URL of every request to an absolute one before it is read: Bun leaves it relative if
 * the Host header names no host. HTTP/1.0 needs no Host, so such a request is served.
 */
export const requestTarget = () =>
  new Elysia({ name: 'hutch-request-target' }).wrap((next, request: Request) => {
    const { url } = request;
    if (!url.startsWith('/')) return next;
    const origin = request.headers.get('host') ? MALFORMED_HOST : NO_HOST;
    // On this object itself: Bun does not know the connection of a copy.
    Object.defineProperty(request, 'url', { value: new URL(origin + url).href });
    return next;
  });

/**
 * Closes the connection after the response to a request whose body is chunked or long. Otherwise a
 * refused body would be read to its end, and bytes after the last chunk could pass for a request.
 */
export const framing = () =>
  new Elysia({ name: 'hutch-framing' }).onRequest(({ request, set }) => {
    if (endsConnection(request.headers)) set.headers['connection'] = 'close';
  });

/**
 * Throws malformed_request for a Host header that names no host and for two Host headers, and
 * length_required for announced trailers. Used after the limits, which count such requests too.
 */
export const soundRequest = () =>
  new Elysia({ name: 'hutch-sound-request' }).onRequest(({ request }) => {
    const { headers } = request;
    if (hasMalformedHost(request)) {
      throw new AppError('malformed_request', 'The Host header names no host');
    }
    // Bun responds twice to them: it serves the request, then refuses it (test/process/bodies.test.ts).
    if (headers.has('trailer')) throw lengthRequired('Trailers are not supported');
    // Bun joins repeated headers with a comma, which no host contains.
    if (headers.get('host')?.includes(',')) {
      throw new AppError('malformed_request', 'There must be one Host header');
    }
  });

/** True if the body is chunked, or so long that the connection closes after the response. */
export function endsConnection(headers: Headers): boolean {
  return isChunked(headers) || declaredBytes(headers) > MAX_DRAINED_BYTES;
}

/** The error for a body whose length is unknown before its end. */
export function lengthRequired(reason: string): AppError {
  return new AppError('length_required', `${reason}: declare the length by Content-Length`);
}

/** True if the body is chunked, so that its length is unknown before its end. */
export function isChunked(headers: Headers): boolean {
  return headers.has('transfer-encoding');
}

/** Returns the length that a request declares; 0 if it declares none. */
export function declaredBytes(headers: Headers): number {
  return Number(headers.get('content-length') ?? 0);
}

/** True if a request has a Host header that names no host (RFC 9112, 3.2). */
function hasMalformedHost({ url, headers }: Request): boolean {
  return url.startsWith(MALFORMED_HOST) || !isHost(headers.get('host') ?? '');
}

/** Parsing costs more than the rest of the check, and nearly all requests name the same host. */
const checkedHosts = new LRUCache<string, boolean>({ max: 64 });

/** True if a text is a host with an optional port, or empty. Programs disagree on what % means. */
function isHost(text: string): boolean {
  if (text === '') return true;
  const checked = checkedHosts.get(text);
  if (checked !== undefined) return checked;
  const isValid = !text.includes('%') && URL.canParse(`http://${text}/`);
  if (text.length <= MAX_CACHED_LENGTH) checkedHosts.set(text, isValid);
  return isValid;
}
