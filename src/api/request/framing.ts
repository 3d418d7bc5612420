import { Elysia } from 'elysia';
import { AppError } from '../../core/exceptions.ts';
import { hasMalformedHost } from './request-target.ts';

/** A rest of a body up to this size is read and dropped, so that its connection can be used again. */
const MAX_DRAINED_BYTES = 1_048_576;

/**
 * Ends the connection after the response to a request whose body is chunked or long: a body that
 * is refused would be read for as long as it comes, and what follows the chunks of another is
 * never taken for a request.
 */
export const framing = () =>
  new Elysia({ name: 'hutch-framing' }).onRequest(({ request, set }) => {
    if (endsConnection(request.headers)) set.headers['connection'] = 'close';
  });

/**
 * Throws malformed_request for a Host header that names no host and for two of them, and
 * length_required for announced trailers. Comes after the limits, which count such requests too.
 */
export const soundRequest = () =>
  new Elysia({ name: 'hutch-sound-request' }).onRequest(({ request }) => {
    const { headers } = request;
    if (hasMalformedHost(request)) {
      throw new AppError('malformed_request', 'The Host header names no host');
    }
    // Bun answers them twice: the request is done, and then refused (test/process/bodies.test.ts).
    if (headers.has('trailer')) throw lengthRequired('Trailers are not supported');
    // Bun joins the values of repeated headers; no host has a comma.
    if (headers.get('host')?.includes(',')) {
      throw new AppError('malformed_request', 'There must be one Host header');
    }
  });

/** Whether a body is chunked or so long that its connection ends with the response. */
export function endsConnection(headers: Headers): boolean {
  return isChunked(headers) || declaredBytes(headers) > MAX_DRAINED_BYTES;
}

/** Refuses a body whose length is not known before its end. */
export function lengthRequired(reason: string): AppError {
  return new AppError('length_required', `${reason}: declare the length by Content-Length`);
}

/** Whether the body comes in chunks, so that its length is not known before its end. */
export function isChunked(headers: Headers): boolean {
  return headers.has('transfer-encoding');
}

/** The length that a request declares; 0 if it declares none. */
export function declaredBytes(headers: Headers): number {
  return Number(headers.get('content-length') ?? 0);
}
