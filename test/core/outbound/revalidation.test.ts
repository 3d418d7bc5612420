import { describe, expect, test } from 'bun:test';
import { until } from '../../until.ts';
import { cachedSource, codeOf, failureOf } from './upstream.ts';

const ttl = { ttlMs: 1_000, staleMs: 10_000 };

describe('an expired response', () => {
  const cases: [string, Record<string, string>, string, string][] = [
    ['its tag', { etag: '"a"' }, 'if-none-match', '"a"'],
    ['its weak tag', { etag: 'W/"a"' }, 'if-none-match', 'W/"a"'],
    [
      'its date',
      { 'last-modified': 'Fri, 01 Jan 2016 00:00:00 GMT' },
      'if-modified-since',
      'Fri, 01 Jan 2016 00:00:00 GMT',
    ],
  ];
  test.each(cases)(
    'is revalidated by %s and stays cached after 304',
    async (_what, tag, name, value) => {
      const { source, clock, call, outbound } = cachedSource({
        ...tag,
        'cache-control': 'max-age=60',
      });
      await call();
      clock.ms += 60_000;
      source.respond = () =>
        new Response(null, { status: 304, headers: { 'cache-control': 'max-age=30' } });
      expect(await call()).toMatchObject({
        cache: 'revalidated',
        data: 1,
        ageSeconds: 0,
        attempts: 1,
      });
      expect(source.requests[1]?.get(name)).toBe(value);
      clock.ms += 29_000;
      expect(await call()).toMatchObject({ cache: 'hit', data: 1, ageSeconds: 29 });
      clock.ms += 1_000;
      expect(await call()).toMatchObject({ cache: 'revalidated' });
      expect(outbound.stats().cache).toMatchObject({ hits: 1, misses: 1, revalidated: 2 });
    },
  );

  test('is replaced by a new response', async () => {
    const { source, call } = cachedSource({ etag: '"a"', 'cache-control': 'no-cache' });
    await call();
    source.respond = () => Response.json('new', { headers: { 'cache-control': 'max-age=60' } });
    expect(await call()).toMatchObject({ cache: 'miss', data: 'new' });
    expect(await call()).toMatchObject({ cache: 'hit', data: 'new' });
  });

  test('is revalidated with a fixed time to live, despite no-store', async () => {
    const { source, clock, call } = cachedSource({ etag: '"a"', 'cache-control': 'no-store' });
    await call({ ttlMs: 1_000 });
    clock.ms += 1_000;
    source.respond = () => new Response(null, { status: 304 });
    expect(await call({ ttlMs: 1_000 })).toMatchObject({ cache: 'revalidated', data: 1 });
    expect(await call({ ttlMs: 1_000 })).toMatchObject({ cache: 'hit', data: 1 });
  });

  test('is fetched again if the 304 has another tag', async () => {
    const { source, call } = cachedSource({ etag: '"a"', 'cache-control': 'no-cache' });
    await call();
    source.respond = ({ headers }) =>
      headers.has('if-none-match')
        ? new Response(null, { status: 304, headers: { etag: '"b"' } })
        : Response.json('whole');
    expect(await call()).toMatchObject({ cache: 'miss', data: 'whole' });
    expect(source.requests).toHaveLength(3);
  });

  test('is requested without its tag after a redirect', async () => {
    const { source, call } = cachedSource({ etag: '"a"', 'cache-control': 'no-cache' });
    await call();
    source.respond = ({ url, headers }) =>
      url.endsWith('/end') ? Response.json([...headers.keys()]) : Response.redirect('/end');
    expect((await call()).data).not.toContain('if-none-match');
  });

  test('a 304 to an unconditional request is a bad status', async () => {
    const { source, call } = cachedSource();
    source.respond = () => new Response(null, { status: 304 });
    expect(await failureOf(call())).toMatchObject({ code: 'bad_status', status: 304 });
  });
});

describe('stale while revalidating', () => {
  test('a response is served immediately, and the next caller gets the new one', async () => {
    const { source, clock, call, outbound } = cachedSource();
    await call(ttl);
    clock.ms += 5_000;
    expect(await call(ttl)).toMatchObject({ cache: 'stale', data: 1, ageSeconds: 5, attempts: 0 });
    await until(() => outbound.stats().cache.inFlight === 0);
    expect(await call(ttl)).toMatchObject({ cache: 'hit', data: 2 });
    expect(source.requests).toHaveLength(2);
  });

  test('50 concurrent callers get the old response and cause one request', async () => {
    const { source, clock, call, outbound } = cachedSource();
    await call(ttl);
    clock.ms += 5_000;
    const replies = await Promise.all(Array.from({ length: 50 }, () => call(ttl)));
    expect(new Set(replies.map(({ cache }) => cache))).toEqual(new Set(['stale']));
    await until(() => outbound.stats().cache.inFlight === 0);
    expect(source.requests).toHaveLength(2);
  });

  test('the response defines for how long', async () => {
    const headers = { 'cache-control': 'max-age=1, stale-while-revalidate=10' };
    expect(await cachedSource(headers).states({}, 10)).toBe('miss stale');
    expect(await cachedSource(headers).states({}, 11)).toBe('miss miss');
  });

  test.each(['must-revalidate', 'no-cache', 'proxy-revalidate'])(
    'never applies with %s, unless the time to live is fixed',
    async (directive) => {
      const headers = { 'cache-control': `max-age=1, ${directive}, stale-while-revalidate=10` };
      expect(await cachedSource(headers).states({ staleMs: 10_000 }, 5)).toBe('miss miss');
      expect(await cachedSource(headers).states(ttl, 5)).toBe('miss stale');
    },
  );

  test('a response that is gone is served only once more', async () => {
    const { source, clock, call, outbound } = cachedSource();
    await call(ttl);
    clock.ms += 5_000;
    source.respond = () => new Response(null, { status: 410 });
    expect((await call(ttl)).cache).toBe('stale');
    await until(() => outbound.stats().cache.inFlight === 0);
    expect(await codeOf(call(ttl))).toBe('bad_status');
  });
});

describe('stale if error', () => {
  const headers = { 'cache-control': 'max-age=1, stale-if-error=10' };

  test.each([500, 503, 429])(
    'status %d: serves the old response and counts the attempt',
    async (status) => {
      const { source, clock, call } = cachedSource(headers);
      await call();
      clock.ms += 10_000;
      source.respond = () => new Response(null, { status });
      expect(await call()).toMatchObject({ cache: 'stale', data: 1, ageSeconds: 10, attempts: 1 });
      clock.ms += 1_000;
      expect(await codeOf(call())).toBe('bad_status');
    },
  );

  test.each([400, 401, 403, 404, 410])(
    'status %d: does not serve the old response',
    async (status) => {
      const { source, clock, call } = cachedSource(headers);
      await call();
      clock.ms += 5_000;
      source.respond = () => new Response(null, { status });
      expect(await failureOf(call())).toMatchObject({ code: 'bad_status', status });
    },
  );

  test('a timeout: serves the old response after the whole timeout of the call', async () => {
    const { source, clock, call } = cachedSource(headers);
    await call({}, { timeoutMs: 200 });
    clock.ms += 5_000;
    source.respond = () => new Promise<never>(() => {});
    expect((await call({}, { timeoutMs: 200 })).cache).toBe('stale');
  });

  test('an open circuit: serves the old response without a request', async () => {
    const breaker = { failures: 1, openMs: 60_000 };
    const { source, clock, call } = cachedSource(headers, { breaker });
    await call();
    clock.ms += 5_000;
    source.respond = () => new Response(null, { status: 500 });
    await call();
    expect(await call()).toMatchObject({ cache: 'stale', data: 1, attempts: 0 });
    expect(source.requests).toHaveLength(2);
  });
});
