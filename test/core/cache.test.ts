import { describe, expect, test } from 'bun:test';
import { createCache } from '../../src/core/cache.ts';

function testCache(options: { maxEntries?: number; maxBytes?: number } = {}) {
  let nowMs = 1000;
  const cache = createCache({ maxEntries: 100, maxBytes: 100_000, now: () => nowMs, ...options });
  let calls = 0;
  const counter = (more: { staleMs?: number; tags?: string[] } = {}) =>
    cache.wrap({ name: 'counter', ttlMs: 1000, ...more }, async (key: string) => {
      calls++;
      return `${key} ${calls}`;
    });
  const advance = (ms: number) => {
    nowMs += ms;
  };
  return { cache, counter, advance };
}

describe('wrap', () => {
  test('calls once per ttl', async () => {
    const { counter, advance } = testCache();
    const get = counter();
    expect(await get('a')).toEqual({ value: 'a 1', state: 'miss', ageSeconds: 0 });
    advance(999);
    expect(await get('a')).toEqual({ value: 'a 1', state: 'hit', ageSeconds: 0 });
    advance(2);
    expect(await get('a')).toMatchObject({ value: 'a 2', state: 'miss' });
  });

  test('caches one value for each list of arguments', async () => {
    const get = testCache().counter();
    expect([(await get('a')).value, (await get('b')).value, (await get('a')).value]).toEqual([
      'a 1',
      'b 2',
      'a 1',
    ]);
  });

  // proves: costly-work.popular-items
  test('concurrent callers share one call', async () => {
    const { cache } = testCache();
    let calls = 0;
    const slow = cache.wrap({ name: 'slow', ttlMs: 1000 }, async () => {
      calls++;
      await Bun.sleep(5);
      return calls;
    });
    const all = await Promise.all(Array.from({ length: 50 }, () => slow()));
    expect(new Set(all.map(({ value }) => value))).toEqual(new Set([1]));
    expect(calls).toBe(1);
  });

  test('serves a stale value immediately and refreshes it in the background', async () => {
    const { counter, advance } = testCache();
    const get = counter({ staleMs: 5000 });
    await get('a');
    advance(3000);
    expect(await get('a')).toEqual({ value: 'a 1', state: 'stale', ageSeconds: 3 });
    await Bun.sleep(1);
    expect(await get('a')).toMatchObject({ value: 'a 2', state: 'hit' });
  });

  test('waits for a new value if the old one is too stale', async () => {
    const { counter, advance } = testCache();
    const get = counter({ staleMs: 5000 });
    await get('a');
    advance(6001);
    expect(await get('a')).toMatchObject({ value: 'a 2', state: 'miss' });
  });

  // proves: 16.5.2
  test('serves a stale value if the refresh fails', async () => {
    const { cache, advance } = testCache();
    let isBroken = false;
    const get = cache.wrap({ name: 'flaky', ttlMs: 1000, staleMs: 5000 }, async () => {
      if (isBroken) throw new Error('down');
      return 'good';
    });
    await get();
    isBroken = true;
    advance(2000);
    expect(await get()).toMatchObject({ value: 'good', state: 'stale' });
    await Bun.sleep(1);
    expect(await get()).toMatchObject({ value: 'good', state: 'stale' });
    advance(5000);
    await expect(get()).rejects.toThrow('down');
  });

  test('a failure is not cached', async () => {
    const { cache } = testCache();
    let calls = 0;
    const get = cache.wrap({ name: 'once', ttlMs: 1000 }, async () => {
      if (++calls === 1) throw new Error('first');
      return calls;
    });
    await expect(get()).rejects.toThrow('first');
    expect((await get()).value).toBe(2);
  });
});

describe('invalidate', () => {
  test('refreshes only values with the tag', async () => {
    const { cache, counter } = testCache();
    const tagged = counter({ tags: ['items'] });
    const other = cache.wrap({ name: 'other', ttlMs: 1000 }, async () => 'kept');
    await tagged('a');
    await other();
    cache.invalidate('items');
    expect(await tagged('a')).toMatchObject({ value: 'a 2', state: 'miss' });
    expect((await other()).state).toBe('hit');
  });

  test('also applies to calls in progress', async () => {
    const { cache } = testCache();
    let data = 'old';
    const read = cache.wrap({ name: 'read', ttlMs: 1000, tags: ['items'] }, async () => {
      const seen = data;
      await Bun.sleep(5);
      return seen;
    });
    const before = read();
    data = 'new';
    cache.invalidate('items');
    expect((await read()).value).toBe('new');
    expect((await before).value).toBe('old');
    expect((await read()).value).toBe('new');
  });
});

describe('bounds', () => {
  // proves: costly-work.popular-items
  test('stores at most the maximum number of entries', async () => {
    const { cache, counter } = testCache({ maxEntries: 3 });
    const get = counter();
    for (const key of ['a', 'b', 'c', 'd', 'e']) await get(key);
    expect(cache.stats().entries).toBe(3);
  });

  // proves: 1.4.3
  test('stores at most the maximum number of bytes, and never a larger value', async () => {
    const { cache } = testCache({ maxBytes: 500 });
    const big = cache.wrap({ name: 'big', ttlMs: 1000 }, async (size: number) => 'x'.repeat(size));
    await big(300);
    await big(301);
    await big(1000);
    expect(cache.stats()).toMatchObject({ entries: 1 });
    expect(cache.stats().bytes).toBeLessThanOrEqual(500);
    expect((await big(1000)).state).toBe('miss');
  });

  test('counts hits, misses, stale values and calls in flight', async () => {
    const { cache, counter, advance } = testCache();
    const get = counter({ staleMs: 1000 });
    const first = get('a');
    expect(cache.stats().in_flight).toBe(1);
    await first;
    await get('a');
    advance(1500);
    await get('a');
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, stale: 1 });
  });
});
