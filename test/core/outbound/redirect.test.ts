import { describe, expect, test } from 'bun:test';
import type { OutboundMethod } from '../../../src/core/outbound/request.ts';
import { codeOf, failureOf, httpUpstream, outboundFor } from './upstream.ts';

const headers = {
  Authorization: 'Bearer s3cret',
  Cookie: 'a=b',
  'X-Api-Key': 's3cret',
  'Accept-Language': 'de',
  'User-Agent': 'me/1',
};

/** The destination of a redirect, which echoes the method, body and headers. */
function destination() {
  return httpUpstream(async (request) =>
    Response.json({
      method: request.method,
      body: await request.text(),
      headers: Object.fromEntries(request.headers),
    }),
  );
}

/** An origin that echoes requests for /end and redirects all others to `location`. */
function origin(status: number, location: string) {
  return httpUpstream(async (request) =>
    new URL(request.url).pathname === '/end'
      ? Response.json({
          method: request.method,
          body: await request.text(),
          headers: Object.fromEntries(request.headers),
        })
      : new Response(null, { status, headers: { location } }),
  );
}

describe('a redirect to another origin', () => {
  test('forwards only the language and user agent of the caller', async () => {
    const { url } = origin(302, destination().url);
    const { data } = await outboundFor().call({ url, headers });
    expect(Object.keys((data as { headers: object }).headers).toSorted()).toEqual([
      ...['accept', 'accept-encoding', 'accept-language', 'connection', 'host', 'user-agent'],
    ]);
  });

  test.each([307, 308])('with status %d never forwards a body', async (status) => {
    const { url } = origin(status, destination().url);
    const call = outboundFor().call({ url, method: 'POST', body: '{"key":"s3cret"}' });
    expect(await codeOf(call)).toBe('bad_redirect');
  });

  test('and back does not restore the secrets', async () => {
    const home = httpUpstream((request) =>
      request.url.endsWith('/end')
        ? Response.json(request.headers.get('x-api-key'))
        : Response.redirect(abroad.url),
    );
    const abroad = httpUpstream(() => Response.redirect(`${home.url}end`));
    expect((await outboundFor().call({ url: home.url, headers })).data).toBeNull();
  });

  test('includes one to another name on the same address', async () => {
    const home = httpUpstream((request) =>
      request.headers.get('host')?.startsWith('one.test')
        ? Response.redirect(`http://two.test:${home.port}/`)
        : Response.json(request.headers.get('authorization')),
    );
    const lookup = async () => [{ address: '127.0.0.1' }];
    const outbound = outboundFor({ lookup, allowHosts: ['one.test', 'two.test'] });
    const url = `http://one.test:${home.port}/`;
    expect((await outbound.call({ url, headers })).data).toBeNull();
  });
});

describe('a redirect within an origin', () => {
  test('forwards all headers', async () => {
    const { url } = origin(302, '/end');
    expect((await outboundFor().call({ url, headers })).data).toMatchObject({
      headers: { authorization: 'Bearer s3cret', 'x-api-key': 's3cret', cookie: 'a=b' },
    });
  });

  // RFC 9110, 15.4.
  const cases: [number, OutboundMethod, OutboundMethod, keepsBody: boolean][] = [
    [301, 'POST', 'GET', false],
    [302, 'POST', 'GET', false],
    [303, 'POST', 'GET', false],
    [307, 'POST', 'POST', true],
    [308, 'POST', 'POST', true],
    [301, 'PUT', 'PUT', true],
    [302, 'PATCH', 'PATCH', true],
    [303, 'PUT', 'GET', false],
    [303, 'DELETE', 'GET', false],
    [302, 'DELETE', 'DELETE', true],
  ];
  test.each(cases)('with status %d changes %s to %s', async (status, method, then, keepsBody) => {
    const { url } = origin(status, '/end');
    const { data } = await outboundFor().call({ url, method, body: '{"a":1}' });
    expect(data).toMatchObject({ method: then, body: keepsBody ? '{"a":1}' : '' });
    const { headers } = data as { headers: Record<string, string> };
    expect(headers['content-type']).toBe(keepsBody ? 'application/json' : undefined);
  });

  test('does not change HEAD', async () => {
    const methods: string[] = [];
    const { url } = httpUpstream((request) => {
      methods.push(request.method);
      return methods.length === 1
        ? new Response(null, { status: 303, headers: { location: '/end' } })
        : new Response(null);
    });
    await outboundFor().call({ url, method: 'HEAD' });
    expect(methods).toEqual(['HEAD', 'HEAD']);
  });
});

describe('a call that follows no redirect', () => {
  test.each([301, 302, 303, 307, 308])('fails with status %d', async (status) => {
    let visits = 0;
    const end = httpUpstream(() => {
      visits += 1;
      return Response.json(1);
    });
    const { url, host } = origin(status, end.url);
    const call = outboundFor().call({ url, method: 'POST', body: '{}', maxRedirects: 0 });
    const failure = await failureOf(call);
    expect([failure.code, failure.message]).toEqual([
      'too_many_redirects',
      `${host} redirected the call`,
    ]);
    expect(visits).toBe(0);
  });
});
