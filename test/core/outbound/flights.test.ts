import { describe, expect, test } from 'bun:test';
import { until } from '../../until.ts';
import { cachedSource } from './caching.ts';
import { codeOf } from './upstream.ts';

describe('50 callers at once', () => {
  const fifty = <T>(call: () => Promise<T>) => Promise.all(Array.from({ length: 50 }, call));

  test('share one request', async () => {
    const { source, call } = cachedSource();
    const replies = await fifty(() => call({ ttlMs: 1_000 }));
    expect(new Set(replies.map(({ data }) => data))).toEqual(new Set([1]));
    expect(source.requests).toHaveLength(1);
  });

  test('share one failure, and the next caller asks anew', async () => {
    const { source, call } = cachedSource();
    source.answer = () => new Response(null, { status: 500 });
    expect(new Set(await fifty(() => codeOf(call())))).toEqual(new Set(['bad_status']));
    expect(source.requests).toHaveLength(1);
    await codeOf(call());
    expect(source.requests).toHaveLength(2);
  });

  test('do not lose the answer when the first of them goes away', async () => {
    const { source, call } = cachedSource();
    const { promise, resolve } = Promise.withResolvers<void>();
    source.answer = async () => {
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

  test('of different keys share nothing', async () => {
    const { source, call } = cachedSource();
    let key = 0;
    await fifty(() => call({ key: `${key++}`, ttlMs: 1_000 }));
    expect(source.requests).toHaveLength(50);
  });
});
