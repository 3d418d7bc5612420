import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { tempDir } from '../support.ts';
import { ADMIN, type RunningHutch, serve } from './hutch.ts';

let server: RunningHutch;

beforeAll(async () => {
  server = await serve(tempDir(), { env: { ...ADMIN.env, HUTCH_MAX_BODY_BYTES: '4096' } });
});
afterAll(() => server[Symbol.asyncDispose]());

/** Sends raw bytes and returns everything received until the server is silent. */
function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    let response = '';
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text));
    socket.setTimeout(300, () => socket.destroy());
    socket.on('data', (chunk) => {
      response += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(response));
  });
}

describe('over a real connection', () => {
  test.each([
    ['GET', '/api/v1/items', 200],
    ['GET', '/api/v1/items/', 200],
    ['GET', '/api/v1/items/popular/', 200],
    ['HEAD', '/api/v1/items/', 200],
    ['HEAD', '/health/live', 200],
    ['GET', '/api/v1/users/1/', 401],
    ['GET', '/api/v1/items/1%00', 422],
    ['PATCH', '/api/v1/items/', 405],
    ['OPTIONS', '/api/v1/users/', 405],
    // proves: 13.4.4
    ['TRACE', '/api/v1/items/', 405],
    ['GET', '/api/v1//items/', 404],
    ['GET', '/API/v1/items/', 404],
    // proves: 1.1.1
    ['GET', '/api/v1/items/..%2f..%2f', 422],
  ])('%s %s is %d with a request id', async (method, path, status) => {
    const response = await raw(
      `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(response.split('\r\n')[0]).toContain(` ${status} `);
    expect(response.toLowerCase()).toContain('x-request-id: ');
  });

  test('405 names the allowed methods', async () => {
    const response = await fetch(`${server.url}/api/v1/items/1`, { method: 'PATCH' });
    expect(response.headers.get('allow')).toBe('DELETE, GET, HEAD, PUT');
  });

  // proves: 5.2.1
  test('a body over the limit is 413 with a request id, with or without a declared length', async () => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const declared = await fetch(`${server.url}/api/v1/users/`, {
      ...init,
      body: 'x'.repeat(4097),
    });
    const stream = new Response('x'.repeat(5000)).body as ReadableStream;
    const undeclared = await fetch(`${server.url}/api/v1/users/`, { ...init, body: stream });
    expect([declared.status, undeclared.status]).toEqual([413, 413]);
    expect(declared.headers.get('x-request-id')).toHaveLength(36);
  });

  test.each([
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'],
    ['a negative length', 'Content-Length: -1\r\n\r\n'],
    ['a strange encoding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a bad chunk', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n'],
    ['a folded header', 'X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
    // proves: 4.2.1
  ])('%s never smuggles a second request', async (_, rest) => {
    const smuggled = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const response = await raw(
      `POST /api/v1/users/ HTTP/1.1\r\nHost: localhost\r\n${rest}${smuggled}`,
    );
    expect(response).not.toContain('{"status":"ok"}');
    expect(response).not.toContain(' 500 ');
  });

  test.each(['Host: a b/../?@#', 'Host: ', 'Host: x:99999', 'Host: [::1', 'Host: é'])(
    'an unusual %p causes no internal error',
    async (host) => {
      const response = await raw(
        `GET /api/v1/items/ HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`,
      );
      expect(response).not.toContain(' 500 ');
    },
  );

  test('it still serves requests afterwards', async () => {
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });
});
