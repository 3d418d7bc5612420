import { Elysia } from 'elysia';

const VALID = /^[\w.-]{8,128}$/;

/** The X-Request-Id of a request if it is a plain one, else a new one. */
export function requestIdOf(request: Request): string {
  const given = request.headers.get('x-request-id');
  return given !== null && VALID.test(given) ? given : crypto.randomUUID();
}

/** Adds an X-Request-Id to every response. */
export const requestId = () =>
  new Elysia({ name: 'hutch-request-id' }).onRequest(({ request, set }) => {
    set.headers['x-request-id'] = requestIdOf(request);
  });
