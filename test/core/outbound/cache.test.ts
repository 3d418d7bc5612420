import { describe, expect, test } from 'bun:test';
import type { OutboundCaching } from '../../../src/core/outbound/request.ts';
import { until } from '../../until.ts';
import { cachedSource, codeOf, httpUpstream, outboundFor } from './upstream.ts';

const NOW = 'Fri, 01 Jan 2027 00:00:00 GMT';
const IN_A_MINUTE = 'Fri, 01 Jan 2027 00:01:00 GMT';

const mine: OutboundCaching = { key: 'me' };
type Rule = [what: string, headers: Record<string, string>, seconds: number, second: string];

const everyone: Rule[] = [
  ['no directive', {}, 0, 'miss'],
  [
    'no directive, but an old date',
    { 'last-modified': 'Fri, 01 Jan 2016 00:00:00 GMT' },
    0,
    'miss',
  ],
  ['max-age, within it', { 'cache-control': 'max-age=60' }, 59, 'hit'],
  ['max-age, at its end', { 'cache-control': 'max-age=60' }, 60, 'miss'],
  ['max-age in capitals', { 'cache-control': 'Public, Max-Age=60' }, 59, 'hit'],
  ['max-age that is invalid', { 'cache-control': 'max-age=soon' }, 0, 'miss'],
  ['Age, which is included', { 'cache-control': 'max-age=60', age: '50' }, 9, 'hit'],
  ['Age, at the end', { 'cache-control': 'max-age=60', age: '50' }, 10, 'miss'],
  ['s-maxage, which takes precedence', { 'cache-control': 'max-age=1, s-maxage=60' }, 59, 'hit'],
  ['s-maxage of 0', { 'cache-control': 'max-age=60, s-maxage=0' }, 0, 'miss'],
  ['private', { 'cache-control': 'private, max-age=60' }, 0, 'miss'],
  ['no-store', { 'cache-control': 'no-store, max-age=60' }, 0, 'miss'],
  ['no-cache', { 'cache-control': 'no-cache, max-age=60' }, 0, 'miss'],
  ['Pragma', { pragma: 'no-cache', expires: IN_A_MINUTE, date: NOW }, 0, 'miss'],
  ['must-revalidate, fresh', { 'cache-control': 'max-age=60, must-revalidate' }, 59, 'hit'],
  ['must-revalidate, late', { 'cache-control': 'max-age=60, must-revalidate' }, 60, 'miss'],
  ['immutable alone', { 'cache-control': 'immutable' }, 0, 'miss'],
  ['Expires', { expires: IN_A_MINUTE, date: NOW }, 59, 'hit'],
  ['Expires, at its end', { expires: IN_A_MINUTE, date: NOW }, 60, 'miss'],
  [
    'Expires and max-age, which takes precedence',
    { expires: NOW, 'cache-control': 'max-age=60' },
    59,
    'hit',
  ],
  ['Expires of 0', { expires: '0', date: NOW }, 0, 'miss'],
  ['Vary of *', { 'cache-control': 'max-age=60', vary: 'accept, *' }, 0, 'miss'],
  [
    'Vary of an unchanged header',
    { 'cache-control': 'max-age=60', vary: 'Accept-Language' },
    0,
    'hit',
  ],
  ['a cookie', { 'cache-control': 'max-age=60', 'set-cookie': 'a=b' }, 0, 'miss'],
];

describe('a shared response with', () => {
  test.each(everyone)('%s', async (_what, headers, seconds, second) => {
    expect(await cachedSource(headers).states({}, seconds)).toBe(`miss ${second}`);
  });
});

const perKey: Rule[] = [
  ['private', { 'cache-control': 'private, max-age=60' }, 59, 'hit'],
  ['s-maxage, which does not apply', { 'cache-control': 's-maxage=60' }, 0, 'miss'],
  ['no-store', { 'cache-control': 'no-store, max-age=60' }, 0, 'miss'],
];

describe('a response for one key with', () => {
  test.each(perKey)('%s', async (_what, headers, seconds, second) => {
    expect(await cachedSource(headers).states(mine, seconds)).toBe(`miss ${second}`);
  });

  test('max-age is cached only for that key', async () => {
    const { call } = cachedSource({ 'cache-control': 'max-age=60' });
    await call(mine);
    expect((await call({ key: 'you' })).data).toBe(2);
    expect((await call({})).data).toBe(3);
    expect((await call(mine)).data).toBe(1);
  });
});

const authorized: [cacheControl: string, cache: OutboundCaching, second: string][] = [
  ['max-age=60', {}, 'miss'],
  ['max-age=60, public', {}, 'hit'],
  ['s-maxage=60', {}, 'hit'],
  ['max-age=60, must-revalidate', {}, 'hit'],
  ['max-age=60', mine, 'hit'],
];

test.each(authorized)(
  'Authorization and %s for %j is a %s',
  async (cacheControl, cache, second) => {
    const headers = { Authorization: 'Bearer s3cret' };
    const { states } = cachedSource({ 'cache-control': cacheControl });
    expect(await states(cache, 0, { headers })).toBe(`miss ${second}`);
  },
);

describe('a fixed time to live', () => {
  test.each([
    ['no-store', 59, 'hit'],
    ['max-age=3600', 60, 'miss'],
  ])('overrides %s', async (cacheControl, seconds, second) => {
    const { states } = cachedSource({ 'cache-control': cacheControl });
    expect(await states({ ttlMs: 60_000 }, seconds)).toBe(`miss ${second}`);
  });

  test('applies after a redirect, which RFC 9111 does not cache', async () => {
    const byRedirect = () => {
      const made = cachedSource();
      made.source.respond = (request) =>
        request.url.endsWith('/end')
          ? Response.json(1, { headers: { 'cache-control': 'max-age=60', etag: '"a"' } })
          : Response.redirect('/end');
      return made;
    };
    expect(await byRedirect().states({}, 1)).toBe('miss miss');
    expect(await byRedirect().states({ ttlMs: 60_000 }, 1)).toBe('miss hit');
  });
});

describe('a cached response', () => {
  test('has an age and no attempt', async () => {
    const { call, clock, outbound } = cachedSource({ 'cache-control': 'max-age=60', age: '7' });
    expect(await call()).toMatchObject({ cache: 'miss', ageSeconds: 7, attempts: 1, data: 1 });
    clock.ms += 5_900;
    expect(await call()).toEqual({
      status: 200,
      mediaType: 'application/json',
      data: 1,
      cache: 'hit',
      ageSeconds: 12,
      attempts: 0,
      elapsedMs: 0,
    });
    expect(outbound.stats().cache).toMatchObject({ hits: 1, misses: 1, entries: 1 });
  });

  test.each([
    ['another header', { headers: { 'Accept-Language': 'de' } }],
    ['another type', { accept: ['application/json', 'text/csv'] }],
    ['another method', { method: 'HEAD' as const }],
    ['another smaller cap', { maxBytes: 1_000 }],
  ])('is not served to a call with %s', async (_what, request) => {
    const { call } = cachedSource({ 'cache-control': 'max-age=60' });
    await call();
    expect((await call({}, request)).cache).toBe('miss');
  });

  test('is served for any order and case of the headers', async () => {
    const { call } = cachedSource({ 'cache-control': 'max-age=60' });
    await call({}, { headers: { 'X-A': '1', 'X-B': '2' } });
    expect((await call({}, { headers: { 'x-b': '2', 'x-a': '1' } })).cache).toBe('hit');
  });

  test('counts against a maximum size, and a larger one is not stored', async () => {
    const { url } = httpUpstream((request) =>
      Response.json('a'.repeat(request.url.endsWith('/large') ? 4_000 : 1_000)),
    );
    const outbound = outboundFor({ cacheBytes: 3_000, cacheEntries: 100 });
    const get = (path: string) => outbound.call({ url: url + path, cache: { ttlMs: 60_000 } });
    for (const path of ['1', '2', '3', 'large']) await get(path);
    expect(outbound.stats().cache).toMatchObject({ entries: 2 });
    expect(outbound.stats().cache.bytes).toBeLessThanOrEqual(3_000);
    expect((await get('3')).cache).toBe('hit');
    expect((await get('1')).cache).toBe('miss');
  });

  test('has status 200; other statuses and failures are not stored', async () => {
    const { source, states, call } = cachedSource();
    source.respond = () => Response.json(1, { status: 203 });
    expect(await states({ ttlMs: 60_000 }, 0)).toBe('miss miss');
    source.respond = () => new Response(null, { status: 404 });
    expect(await codeOf(call({ ttlMs: 60_000 }))).toBe('bad_status');
    source.respond = () => Response.json(2);
    expect((await call({ ttlMs: 60_000 })).data).toBe(2);
  });

  test('is never stored without a cache option, nor for POST', async () => {
    const { outbound, url, call } = cachedSource({ 'cache-control': 'max-age=60' });
    await outbound.call({ url });
    const posted = await call({}, { method: 'POST', body: '{}' });
    expect([posted.cache, posted.data]).toEqual(['off', 2]);
    expect(outbound.stats().cache).toMatchObject({ entries: 0, misses: 0 });
  });

  test('is not served after close', async () => {
    const { outbound, call } = cachedSource({ 'cache-control': 'max-age=60' });
    await call();
    outbound.close();
    expect(await codeOf(call())).toBe('aborted');
  });
});

describe('50 concurrent callers', () => {
  const fifty = <T>(call: () => Promise<T>) => Promise.all(Array.from({ length: 50 }, call));

  test('share one request', async () => {
    const { source, call } = cachedSource();
    const replies = await fifty(() => call({ ttlMs: 1_000 }));
    expect(new Set(replies.map(({ data }) => data))).toEqual(new Set([1]));
    expect(source.requests).toHaveLength(1);
  });

  test('share one failure, and the next caller sends a new request', async () => {
    const { source, call } = cachedSource();
    source.respond = () => new Response(null, { status: 500 });
    expect(new Set(await fifty(() => codeOf(call())))).toEqual(new Set(['bad_status']));
    expect(source.requests).toHaveLength(1);
    await codeOf(call());
    expect(source.requests).toHaveLength(2);
  });

  test('receive the response even if the first of them aborts', async () => {
    const { source, call } = cachedSource();
    const { promise, resolve } = Promise.withResolvers<void>();
    source.respond = async () => {
      await promise;
      return Response.json('here');
    };
    const gone = new AbortController();
    const first = codeOf(call({}, { signal: gone.signal }));
    const others = fifty(() => call());
    await until(() => source.requests.length === 1);
    gone.abort();
    expect(await first).toBe('aborted');
    resolve();
    expect(new Set((await others).map(({ data }) => data))).toEqual(new Set(['here']));
    expect(source.requests).toHaveLength(1);
  });

  test('with different keys share nothing', async () => {
    const { source, call } = cachedSource();
    let key = 0;
    await fifty(() => call({ key: `${key++}`, ttlMs: 1_000 }));
    expect(source.requests).toHaveLength(50);
  });
});
