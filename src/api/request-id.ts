import { Elysia } from 'elysia';

const VALID = /^[\w.-]{8,128}$/;

/** Gives every answer an X-Request-Id: the caller's own if it is a plain one, else a new one. */
export const requestId = () =>
  new Elysia({ name: 'hutch-request-id' }).onRequest(({ request, set }) => {
    const given = request.headers.get('x-request-id');
    set.headers['x-request-id'] = given !== null && VALID.test(given) ? given : crypto.randomUUID();
  });
