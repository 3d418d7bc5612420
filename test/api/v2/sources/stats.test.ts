import { describe, expect, test } from 'bun:test';
import { sourcesApp, upstream } from '../../../sources.ts';

const HOUR_MS = 3_600_000;
type App = Awaited<ReturnType<typeof sourcesApp>>;

async function statsOf(t: App, search = '') {
  const path = `/api/v2/sources/up/stats${search}`;
  return (await (await t.request('GET', path, { token: t.root.token })).json()) as {
    count: number;
    latency_ms: Record<string, number | null>;
    hours: { hour: string; count: number }[];
  };
}

describe('GET /sources/:name/stats', () => {
  test('counts calls, failures by code, cache states and latencies', async () => {
    let status = 200;
    await using up = upstream(() => Response.json(1, { status }));
    await using t = await sourcesApp([up.host]);
    await t.define({
      base_url: up.url,
      ttl_seconds: 60,
      retries: 0,
      query: { q: '{q}' },
      parameters: [{ name: 'q', type: 'string' }],
    });
    for (let i = 0; i < 3; i++) await t.call('up', t.ada.token);
    status = 500;
    await t.call('up?q=other', t.ada.token);
    await t.call('up?no=1', t.ada.token);
    await t.call('up');
    const calls = [{ source: 'up' }, { source: 'up' }];
    await t.json('POST', '/api/v2/sources/fetch', { calls }, t.ada.token);
    const stats = await statsOf(t);
    expect(stats).toMatchObject({
      count: 5,
      errors: { bad_status: 1 },
      cache: { hit: 3, miss: 1, stale: 0, revalidated: 0 },
      hours: [{ hour: expect.stringMatching(/:00:00\.000Z$/), count: 5 }],
    });
    const { p50, p90, p99, max } = stats.latency_ms as Record<string, number>;
    expect([p50, p90, p99, max].every(Number.isInteger)).toBe(true);
    expect(p50 as number).toBeLessThanOrEqual(max as number);
  });

  test('are empty for a source that was never called', async () => {
    await using t = await sourcesApp([]);
    await t.define({ base_url: 'https://api.example.com' });
    expect(await statsOf(t)).toMatchObject({
      count: 0,
      errors: {},
      latency_ms: { p50: null, p90: null, p99: null, max: null },
      hours: [],
    });
  });

  // proves: costly-work.counts-of-calls-of-sources
  test('are written together, not once per call', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url });
    const before = t.deps.db.stats().writes;
    for (let i = 0; i < 10; i++) await t.call('up', t.ada.token);
    expect(t.deps.db.stats().writes).toBe(before);
    await t.deps.sourceStats.flush();
    expect(t.deps.db.stats().writes).toBe(before + 1);
    await t.call('up', t.ada.token);
    expect(await statsOf(t)).toMatchObject({ count: 11 });
  });

  // proves: costly-work.counts-of-calls-of-sources
  test('cover the requested hours and are retained for 30 days', async () => {
    let time = Date.parse('2026-11-22T16:20:00.000Z');
    await using t = await sourcesApp([], {}, () => new Date(time));
    await t.define({ base_url: 'https://api.example.com' });
    const { sourceStats, jobs } = t.deps;
    const addOne = () => sourceStats.add(1, { cache: 'miss', elapsedMs: 20 });
    addOne();
    time += HOUR_MS;
    addOne();
    addOne();
    const hours = async (count: number) => (await sourceStats.report(t.root, 'up', count)).hours;
    expect(await hours(1)).toMatchObject([{ hour: '2026-11-22T17:00:00.000Z', count: 2 }]);
    expect(await hours(2)).toMatchObject([{ count: 1 }, { count: 2 }]);
    time += (30 * 24 - 1) * HOUR_MS;
    await jobs.runAll();
    const kept = () => t.deps.db.client.query('select count from source_calls').all();
    expect(kept()).toEqual([{ count: 1 }, { count: 2 }]);
    time += HOUR_MS;
    await jobs.runAll();
    expect(kept()).toEqual([{ count: 2 }]);
  });

  test('of a deleted source are dropped', async () => {
    await using t = await sourcesApp([]);
    await t.define({ base_url: 'https://api.example.com' });
    t.deps.sourceStats.add(1, { error: 'timeout', elapsedMs: 5 });
    await t.deps.sources.remove(t.root, 'up');
    await t.deps.sourceStats.flush();
    expect(t.deps.db.client.query('select count from source_calls').all()).toEqual([]);
  });

  test('validation_failed for more hours than are retained', async () => {
    await using t = await sourcesApp([]);
    await t.define({ base_url: 'https://api.example.com' });
    for (const hours of ['0', '721', 'x']) {
      const path = `/api/v2/sources/up/stats?hours=${hours}`;
      expect((await t.request('GET', path, { token: t.root.token })).status).toBe(422);
    }
  });
});
