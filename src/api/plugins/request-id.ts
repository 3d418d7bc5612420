import { Elysia } from 'elysia';

const VALID = /^[\w.-]{8,128}$/;

/** Returns the X-Request-Id of a request if it is valid, otherwise a new one. */
export function requestIdOf(request: Request): string {
  const sent = request.headers.get('x-request-id');
  return sent !== null && VALID.test(sent) ? sent : crypto.randomUUID();
}

/** Adds an X-Request-Id to every response. */
export const requestId = () =>
  new Elysia({ name: 'hutch-request-id' }).onRequest(({ request, set }) => {
    set.headers['x-request-id'] = requestIdOf(request);
  });
