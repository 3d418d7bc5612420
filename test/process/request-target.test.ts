import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { tempDir } from '../support.ts';
import { type RunningHutch, serve } from './hutch.ts';

/** Sends one request as these bytes and returns the whole response. */
function sendRaw({ url }: RunningHutch, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let response = '';
    const socket = connect({ host: hostname, port: Number(port) }, () =>
      socket.write(text, 'latin1'),
    );
    socket.setTimeout(5000, () => socket.destroy(new Error(`no end of: ${response}`)));
    socket.on('data', (chunk) => {
      response += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(response));
  });
}

const statusOf = (response: string) => Number(response.split(' ')[1]);
const get = (target: string, hostLine: string) =>
  `GET ${target} HTTP/1.1\r\n${hostLine}Connection: close\r\n\r\n`;

/** Values that are not a host with an optional port (RFC 9110, 7.2). */
const MALFORMED = [
  ...['a?', 'a/b', 'a b', '://a', 'x#', 'user@host', '\xff', 'a\\b', 'a?b://c'],
  ...[
    '[::1',
    '[::1]x',
    '[::1].evil.example',
    '[::g]',
    '[]',
    '::1',
    '[fe80::1%25lo]',
    '1.2.3.256',
    '%6c',
    '"localhost"',
  ],
  ...['localhost:99999', 'localhost:65536', 'localhost:abc', 'localhost:-1', 'a:1:2'],
];
/** Targets that contain the path of a probe but are not probes. */
const NO_PROBES = [
  '/health',
  '/health/',
  '/health/x',
  '/health/live/x',
  '/health/live#x',
  '/health/live;x',
  '//health/live',
  '/HEALTH/live',
  '/health/%6cive',
  '/aaaaaaa/health/live',
  '/api/v1/items/popular?x=://a/health/live',
  '/api/v1/items/popular?x=/health/live',
  '/x?/health/live',
];

describe('limits', () => {
  let server: RunningHutch;
  beforeAll(async () => {
    const env = { HUTCH_LIMIT_REQUESTS: '1', HUTCH_PUBLIC_URL: 'https://api.example.com' };
    server = await serve(tempDir(), { env });
    await sendRaw(server, get('/', 'Host: localhost\r\n'));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(NO_PROBES)('count GET %s', async (target) => {
    expect(statusOf(await sendRaw(server, get(target, 'Host: localhost\r\n')))).toBe(429);
    const old = await sendRaw(server, `GET ${target} HTTP/1.0\r\n\r\n`);
    expect(statusOf(old)).toBe(429);
  });

  test.each(['Host: a?', 'Host: a/b', 'Host: evil.example', 'Host: a\r\nHost: b', 'Host:'])(
    'count a request that is refused for %p',
    async (hosts) => {
      const target = '/api/v1/items/popular';
      expect(statusOf(await sendRaw(server, get(target, `${hosts}\r\n`)))).toBe(429);
    },
  );

  test('count a request that announces trailers, and close its connection', async () => {
    const headers = 'Host: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n';
    const response = await sendRaw(server, `POST /api/v1/items/ HTTP/1.1\r\n${headers}\r\n`);
    expect(statusOf(response)).toBe(429);
    expect(response).toMatch(/^connection: close\r$/im);
  });

  test('count a probe with another method', async () => {
    const post = 'POST /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    expect(statusOf(await sendRaw(server, post))).toBe(429);
  });

  test.each(['/health/live', '/health/ready', '/health/live/', '/health/live?x=1'])(
    'admit the probe %s, also without a Host',
    async (target) => {
      const statuses = [
        statusOf(await sendRaw(server, get(target, 'Host: localhost\r\n'))),
        statusOf(await sendRaw(server, `GET ${target} HTTP/1.0\r\n\r\n`)),
        statusOf(await sendRaw(server, `HEAD ${target} HTTP/1.0\r\n\r\n`)),
      ];
      expect(statuses).toEqual([200, 200, 200]);
    },
  );
});

describe('a request', () => {
  let server: RunningHutch;
  beforeAll(async () => {
    server = await serve(tempDir(), { env: { HUTCH_RATE_LIMIT: 'off' } });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(MALFORMED)(
    'with the Host %p is malformed_request, in the format of its version',
    async (host) => {
      const v2 = await sendRaw(server, get('/api/v2/system/version', `Host: ${host}\r\n`));
      expect(statusOf(v2)).toBe(400);
      expect(v2).toContain('application/problem+json');
      expect(v2).toContain('"code":"malformed_request"');
      expect(v2).toMatch(/x-request-id: [\w-]{36}/i);
      const v1 = await sendRaw(server, get('/api/v1/items/?x=://a/api/v2/x', `Host: ${host}\r\n`));
      expect(statusOf(v1)).toBe(400);
      expect(v1).toContain('{"detail":');
    },
  );

  test.each(['a', 'a:', 'a.', '127.1:80', '[::1]:80', ''])(
    'with the Host %p is routed by its path',
    async (host) => {
      const target = '/api/v2/system/version?x=://a/api/v1/items/popular';
      const response = await sendRaw(server, get(target, `Host: ${host}\r\n`));
      expect(statusOf(response)).toBe(400);
      expect(response).toContain('"instance":"/api/v2/system/version"');
      expect(response).toContain('"path":"query.x"');
    },
  );

  test('of HTTP/1.0 without a Host is routed by its path, regardless of its query', async () => {
    const search = '?limit=1&x=://a/api/v2/y';
    const v1 = await sendRaw(server, `GET /api/v1/items/popular${search} HTTP/1.0\r\n\r\n`);
    expect(statusOf(v1)).toBe(200);
    expect(v1).toContain('</api/v2/items/popular>; rel="successor-version"');
    const unknown = await sendRaw(server, 'GET /aaaaaaa/api/v2/system/version HTTP/1.0\r\n\r\n');
    expect(statusOf(unknown)).toBe(404);
    expect(unknown).toContain('{"detail":"Not Found"}');
  });

  test('of HTTP/1.0 without a Host that requests a cookie is refused without an internal error', async () => {
    const body = JSON.stringify({ login: 'ada', password: 'straw-bed-77', transport: 'cookie' });
    const head = `POST /api/v2/auth/login HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const response = await sendRaw(server, head + body);
    expect(statusOf(response)).toBe(422);
    expect(response).toContain('"path":"body.transport"');
  });
});

test('a malformed Host does not bypass the public URL', async () => {
  const env = { HUTCH_PUBLIC_URL: 'https://api.example.com' };
  await using server = await serve(tempDir(), { env });
  const statuses = await Promise.all(
    MALFORMED.map(async (host) =>
      statusOf(await sendRaw(server, get('/api/v1/items/popular', `Host: ${host}\r\n`))),
    ),
  );
  for (const status of statuses) expect([400, 421]).toContain(status);
  expect(statuses).toHaveLength(MALFORMED.length);
});
