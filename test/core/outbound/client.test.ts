import { describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { codeOf, failureOf, httpUpstream, outboundFor } from './upstream.ts';

describe('a call', () => {
  test('returns the JSON of the response', async () => {
    const { url } = httpUpstream(() => Response.json({ city: 'Bonn', tags: [1, null] }));
    expect(await outboundFor().getJson(url)).toEqual({ city: 'Bonn', tags: [1, null] });
  });

  test('accepts problem+json with an upper-case charset and a byte order mark', async () => {
    const headers = { 'content-type': 'Application/Problem+JSON; Charset="UTF-8"' };
    const { url } = httpUpstream(() => new Response('\uFEFF{"a":1}', { headers }));
    expect(await outboundFor().getJson(url)).toEqual({ a: 1 });
  });

  test('accepts gzip', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const { url } = httpUpstream(() => new Response(gzipSync('{"a":1}'), { headers }));
    expect(await outboundFor().getJson(url)).toEqual({ a: 1 });
  });

  // proves: outbound-calls.any-url-that-a-signed-in-user-names, 14.2.3
  test('sends only the path, the query and its own headers', async () => {
    const { url, host } = httpUpstream((request) =>
      Response.json({ url: new URL(request.url).search, headers: request.headers }),
    );
    expect(await outboundFor().getJson(`${url}a?b=%20c#d`)).toEqual({
      url: '?b=%20c',
      headers: {
        accept: 'application/json, */*;q=0.5',
        'accept-encoding': 'gzip',
        connection: 'keep-alive',
        host,
        'user-agent': 'hutch/1.2.3',
      },
    });
  });

  test('returns no cookies to the host', async () => {
    const { url } = httpUpstream((request) =>
      Response.json(request.headers.get('cookie'), { headers: { 'set-cookie': 'a=b; Path=/' } }),
    );
    const outbound = outboundFor();
    await outbound.getJson(url);
    expect(await outbound.getJson(url)).toBeNull();
  });

  // proves: outbound-calls.hutch-opens-no-other-connection-uses-no-proxy
  test('ignores the proxy of the environment', async () => {
    const proxy = httpUpstream(() => Response.json('the proxy'));
    const { url } = httpUpstream(() => Response.json('the host'));
    process.env['http_proxy'] = proxy.url;
    try {
      expect(await outboundFor().getJson(url)).toBe('the host');
    } finally {
      delete process.env['http_proxy'];
    }
  });
});

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('with status %d is followed', async (status) => {
    const { url } = httpUpstream((request) =>
      request.url.endsWith('/end')
        ? Response.json('here')
        : new Response(null, { status, headers: { location: 'end' } }),
    );
    expect(await outboundFor().getJson(url)).toBe('here');
  });

  // proves: outbound-calls.its-address, 15.3.2
  test('is followed at most three times', async () => {
    let requests = 0;
    const { url } = httpUpstream(() => {
      requests += 1;
      return Response.redirect('/again');
    });
    expect(await codeOf(outboundFor().getJson(url))).toBe('too_many_redirects');
    expect(requests).toBe(4);
  });

  test.each([
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://169.254.169.254/',
    'http://2130706433/',
  ])('to %s is refused', async (location) => {
    const { url, host } = httpUpstream(() => Response.redirect(location));
    expect(await codeOf(outboundFor({ allowHosts: [host] }).getJson(url))).toBe('address_refused');
  });

  // proves: 1.3.6
  test('to a private address on another port is refused without a connection', async () => {
    let reached = 0;
    const secret = httpUpstream(() => {
      reached += 1;
      return Response.json('secret');
    });
    const { url, host } = httpUpstream(() => Response.redirect(secret.url));
    expect(await codeOf(outboundFor({ allowHosts: [host] }).getJson(url))).toBe('bad_redirect');
    expect(reached).toBe(0);
  });

  // proves: outbound-calls.its-address, 15.3.2
  test('to a name with a private address is refused', async () => {
    const { url } = httpUpstream(() => Response.redirect('http://inner.test/'));
    const lookup = async () => [{ address: '10.0.0.7' }];
    const failure = await failureOf(outboundFor({ lookup }).getJson(url));
    expect(failure.code).toBe('address_refused');
    expect(failure.message).not.toContain('10.0.0.7');
  });

  test.each([
    'file:///etc/hostname',
    'data:application/json,1',
    'ftp://a.test/',
    'http://u:p@a.test/',
    'http://[::1',
    '//a.test:22/',
    's3://b/k',
  ])('to %s is refused', async (location) => {
    const { url } = httpUpstream(() => new Response(null, { status: 302, headers: { location } }));
    expect(await codeOf(outboundFor().getJson(url))).toBe('bad_redirect');
  });

  test('without a Location is refused', async () => {
    const { url } = httpUpstream(() => new Response(null, { status: 302 }));
    expect(await codeOf(outboundFor().getJson(url))).toBe('bad_redirect');
  });
});

describe('a retry', () => {
  const flaky = (status: number, headers: Record<string, string> = {}) => {
    const seen = { requests: 0 };
    const { url } = httpUpstream(() => {
      seen.requests += 1;
      return seen.requests === 1 ? new Response(null, { status, headers }) : Response.json('ok');
    });
    return { seen, url };
  };

  test.each([502, 503, 504])('follows status %d', async (status) => {
    const { url } = flaky(status);
    expect(await outboundFor({ retries: 1 }).getJson(url)).toBe('ok');
  });

  test.each([400, 404, 429, 500])('does not follow status %d', async (status) => {
    const { url, seen } = flaky(status);
    const failure = await failureOf(outboundFor({ retries: 1 }).getJson(url));
    expect([failure.code, failure.status, seen.requests]).toEqual(['bad_status', status, 1]);
  });

  test('waits a random fraction of 200 ms', async () => {
    const waits: number[] = [];
    const sleep = async (delayMs: number) => void waits.push(delayMs);
    const { url } = flaky(503);
    await outboundFor({ retries: 1, random: () => 0.5, sleep }).getJson(url);
    expect(waits).toEqual([100]);
  });

  test('waits for the duration of Retry-After', async () => {
    const waits: number[] = [];
    const sleep = async (delayMs: number) => void waits.push(delayMs);
    const { url } = flaky(503, { 'retry-after': '1' });
    await outboundFor({ retries: 1, sleep }).getJson(url);
    expect(waits).toEqual([1_000]);
  });

  test('is omitted if Retry-After exceeds the deadline', async () => {
    const { url, seen } = flaky(503, { 'retry-after': '60' });
    expect(await codeOf(outboundFor({ retries: 1 }).getJson(url))).toBe('bad_status');
    expect(seen.requests).toBe(1);
  });
});

test('a call after close is aborted', async () => {
  const outbound = outboundFor();
  outbound.close();
  expect(await codeOf(outbound.getJson('http://127.0.0.1:9/'))).toBe('aborted');
});

test('the statistics count calls by outcome', async () => {
  const { url } = httpUpstream(({ url }) =>
    url.endsWith('/no') ? new Response(null, { status: 404 }) : Response.json(1),
  );
  const outbound = outboundFor();
  await outbound.getJson(url);
  await failureOf(outbound.getJson(`${url}no`));
  await failureOf(outbound.getJson('nonsense'));
  expect(outbound.stats()).toEqual({
    inFlight: 0,
    queued: 0,
    started: 3,
    succeeded: 1,
    retried: 0,
    redirected: 0,
    failed: { bad_status: 1, url_refused: 1 },
    circuits: [],
    cache: { hits: 0, misses: 0, stale: 0, revalidated: 0, inFlight: 0, entries: 0, bytes: 0 },
  });
});
