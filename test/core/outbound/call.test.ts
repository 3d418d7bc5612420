import { describe, expect, test } from 'bun:test';
import type { OutboundRequest } from '../../../src/core/outbound/client.ts';
import {
  codeOf,
  failureOf,
  httpUpstream,
  JSON_HEAD,
  outboundFor,
  rawUpstream,
} from './upstream.ts';

/** Starts an upstream that echoes its requests. */
const echo = () =>
  httpUpstream(async (request) =>
    Response.json({
      method: request.method,
      body: await request.text(),
      headers: Object.fromEntries(request.headers),
    }),
  );

describe('a request', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('%s sends its body', async (method) => {
    const { url } = echo();
    const { data } = await outboundFor().call({ url, method, body: '{"a":1}' });
    expect(data).toMatchObject({
      method,
      body: '{"a":1}',
      headers: { 'content-type': 'application/json', 'content-length': '7' },
    });
  });

  test('sends its headers, including a type and a user agent', async () => {
    const { url } = echo();
    const headers = { 'X-Api-Key': ' s3cret ', 'Content-Type': 'text/csv', 'User-Agent': 'me/1' };
    const { data } = await outboundFor().call({ url, method: 'POST', headers, body: 'a,b' });
    expect(data).toMatchObject({
      headers: { 'x-api-key': 's3cret', 'content-type': 'text/csv', 'user-agent': 'me/1' },
    });
  });

  test.each([
    ...['Host', 'connection', 'Content-Length', 'Transfer-Encoding', 'Upgrade', 'TE', 'Trailer'],
    ...['Proxy-Authorization', 'proxy-connection', 'Keep-Alive', 'Expect', 'Accept-Encoding'],
    ...['If-None-Match', 'Range', 'Via'],
  ])('may not set the header %s', async (name) => {
    const { url, requests } = counted();
    expect(await codeOf(outboundFor().call({ url, headers: { [name]: 'a' } }))).toBe(
      'request_refused',
    );
    expect(requests()).toBe(0);
  });

  test.each(['', 'a b', 'a:', 'a\r\nb', 'a\n', 'é', 'a\0', '(a)'])(
    'may not have a header named %j',
    async (name) => {
      const call = outboundFor().call({ url: 'http://127.0.0.1:1/', headers: { [name]: 'a' } });
      expect(await codeOf(call)).toBe('request_refused');
    },
  );

  test.each(['a\r\nX-Evil: 1', 'a\n', '\ra', 'a\0', '\u2028', 'a\u010Ab', '\x7f'])(
    'may not have the header value %j, which the message omits',
    async (value) => {
      const call = outboundFor().call({ url: 'http://127.0.0.1:1/', headers: { 'X-Key': value } });
      const failure = await failureOf(call);
      expect([failure.code, failure.message]).toEqual([
        'request_refused',
        'The header x-key has invalid characters',
      ]);
    },
  );

  test.each<[string, Partial<OutboundRequest>]>([
    ['a header twice', { headers: { 'x-a': '1', 'X-A': '2' } }],
    ['headers over 8 KiB', { headers: { 'x-a': 'a'.repeat(8_190) } }],
    ['a body with GET', { body: 'a' }],
    ['a body with HEAD', { method: 'HEAD', body: '' }],
    ['no media type', { accept: [] }],
    ['an invalid media type', { accept: ['text/html\r\nX-Evil: 1'] }],
  ])('may not have %s', async (_what, part) => {
    const call = outboundFor().call({ url: 'http://127.0.0.1:1/', ...part });
    expect(await codeOf(call)).toBe('request_refused');
  });
});

describe('a response', () => {
  test('includes its status, type, age and duration', async () => {
    const { url } = httpUpstream(() => Response.json({ id: 7 }, { status: 201 }));
    const reply = await outboundFor().call({ url, method: 'POST', body: '{}' });
    expect(reply).toEqual({
      status: 201,
      mediaType: 'application/json',
      data: { id: 7 },
      cache: 'off',
      ageSeconds: 0,
      attempts: 1,
      elapsedMs: expect.any(Number),
    });
  });

  test('to HEAD is null, regardless of its length', async () => {
    const { url } = await rawUpstream((socket) =>
      socket.end(`${JSON_HEAD}Content-Length: 999999999\r\n\r\n`),
    );
    expect(await outboundFor().call({ url, method: 'HEAD' })).toMatchObject({
      status: 200,
      data: null,
      mediaType: '',
    });
  });

  test.each([204, 205])('with status %d is null', async (status) => {
    const { url } = httpUpstream(() => new Response(null, { status }));
    expect(await outboundFor().call({ url })).toMatchObject({ status, data: null });
  });

  test('may be empty to POST, but not to GET', async () => {
    const { url } = httpUpstream(() => new Response(null));
    expect((await outboundFor().call({ url, method: 'POST' })).data).toBeNull();
    expect(await codeOf(outboundFor().call({ url }))).toBe('not_json');
  });

  test('of an accepted type is text', async () => {
    const { url } = httpUpstream(
      (request) =>
        new Response(request.headers.get('accept'), { headers: { 'content-type': 'Text/CSV' } }),
    );
    const reply = await outboundFor().call({ url, accept: ['text/csv', 'application/xml'] });
    expect(reply).toMatchObject({ mediaType: 'text/csv', data: 'text/csv, application/xml' });
  });

  test('may be any JSON where one is accepted', async () => {
    const headers = { 'content-type': 'application/json' };
    const { url } = httpUpstream(() => new Response('[1]', { headers }));
    const accept = ['application/vnd.github+json', 'text/plain'];
    expect((await outboundFor().call({ url, accept })).data).toEqual([1]);
  });

  test.each([
    ['text/html', '<p>'],
    ['text/csv; charset=utf-16', 'a'],
    ['', 'a'],
  ])('of type %j is not accepted as CSV', async (type, body) => {
    const { url } = httpUpstream(() => new Response(body, { headers: { 'content-type': type } }));
    expect(await codeOf(outboundFor().call({ url, accept: ['text/csv'] }))).toBe('bad_media_type');
  });

  test('of text that is not UTF-8 is rejected', async () => {
    const headers = { 'content-type': 'text/csv' };
    const { url } = httpUpstream(() => new Response(new Uint8Array([0xff]), { headers }));
    expect(await codeOf(outboundFor().call({ url, accept: ['text/csv'] }))).toBe('bad_encoding');
  });

  test('is limited to the size that its request sets', async () => {
    const { url } = httpUpstream(() => Response.json('a'.repeat(98)));
    expect(await codeOf(outboundFor().call({ url, maxBytes: 99 }))).toBe('too_large');
  });
});

test('a host that is not on the list of only hosts is refused', async () => {
  const { url } = echo();
  const outbound = outboundFor({ allowHosts: [], onlyHosts: ['one.test'] });
  expect(await codeOf(outbound.call({ url, method: 'POST', cache: { ttlMs: 1 } }))).toBe(
    'url_refused',
  );
});

function counted(init: ResponseInit = {}) {
  let count = 0;
  const { url } = httpUpstream(() => {
    count += 1;
    return Response.json(1, init);
  });
  return { url, requests: () => count };
}
