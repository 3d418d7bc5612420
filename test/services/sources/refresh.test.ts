import { describe, expect, test } from 'bun:test';
import { createSourceRefresh } from '../../../src/services/sources/refresh.ts';
import { jobsOf } from '../../core/jobs/support.ts';
import { sourcesApp, upstream } from '../../sources.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.parse('2026-11-22T16:01:00.000Z');
const CACHED = { ttl_seconds: 60, stale_seconds: 600, refresh: '*/5 * * * *', retries: 0 };

/** The application with its own refresh, without jitter and with a manual clock. */
async function refreshing(hosts: string[], random = () => 0) {
  const t = await sourcesApp(hosts, { logLevel: 'warn' });
  const { db, sourceCalls: calls } = t.deps;
  const lines: string[] = [];
  const log = {
    level: 'warn',
    debug: () => {},
    info: () => {},
    warn: (message: string, fields = {}) => void lines.push(JSON.stringify({ message, ...fields })),
    error: (message: string) => void lines.push(message),
  } as const;
  const it = jobsOf(t, { at: START_MS, log, drainMs: 20 });
  const job = createSourceRefresh({ db, log, queue: it.queue, calls, now: it.now, random });
  /** Looks for sources that are due, and returns once their refreshes have ended. */
  const tick = async (minutes = 0) => {
    it.pass(minutes * MINUTE_MS);
    await job.run();
    await it.jobs.runDue();
  };
  return { ...t, jobs: it.jobs, pass: it.pass, tick, lines };
}

describe('a source with a refresh', () => {
  // proves: outbound-calls.the-base-url-of-a-source-get-api
  test('is called at the start and whenever its cron expression matches', async () => {
    await using up = upstream(() => Response.json(1, { headers: { 'cache-control': 'no-store' } }));
    await using t = await refreshing([up.host]);
    // Without a ttl the response decides, so that the upstream sees each refresh.
    await t.define({ base_url: up.url, ...CACHED, ttl_seconds: null });
    const counts = [];
    for (const minutes of [0, 1, 3, 1, 4, 7]) {
      await t.tick(minutes);
      counts.push(up.asked.length);
    }
    expect(counts).toEqual([1, 1, 2, 2, 3, 4]);
  });

  test('is called although the cached response is still fresh', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await refreshing([up.host]);
    await t.define({ base_url: up.url, ...CACHED, ttl_seconds: 3600, stale_seconds: 0 });
    for (const minutes of [0, 5, 5]) {
      await t.tick(minutes);
    }
    expect(up.asked.length).toBe(3);
  });

  test('is cached for its first caller, for each of its sets of parameters', async () => {
    await using up = upstream(({ url }) => Response.json(new URL(url).search));
    await using t = await refreshing([up.host]);
    await t.define({
      base_url: up.url,
      ...CACHED,
      query: { q: '{city}' },
      parameters: [{ name: 'city', type: 'string', default: 'rome' }],
      refresh_parameters: [{}, { city: 'paris' }],
    });
    await t.tick();
    for (const [search, state] of [
      ['', 'hit'],
      ['?city=paris', 'hit'],
      ['?city=oslo', 'miss'],
    ] as const) {
      const answer = await t.call(`up${search}`, t.ada.token);
      expect([search, answer.headers.get('x-cache')]).toEqual([search, state]);
    }
  });

  test('is not refreshed again before the previous refresh has ended', async () => {
    const gate = Promise.withResolvers<void>();
    await using up = upstream(async () => {
      await gate.promise;
      return Response.json(1, { headers: { 'cache-control': 'no-store' } });
    });
    await using t = await refreshing([up.host]);
    await t.define({ base_url: up.url, ...CACHED, ttl_seconds: null });
    const first = t.tick();
    while (up.asked.length === 0) await Bun.sleep(5);
    const later = [t.tick(5), t.tick(5)];
    await Bun.sleep(20);
    expect(up.asked).toHaveLength(1);
    gate.resolve();
    await Promise.all([first, ...later]);
    await t.tick();
    expect(up.asked).toHaveLength(2);
  });

  test('that fails is logged and called again at the next time', async () => {
    await using up = upstream(() => new Response('hay', { status: 500 }));
    await using t = await refreshing([up.host]);
    await t.define({ base_url: up.url, ...CACHED });
    await t.tick();
    await t.tick(5);
    expect(up.asked).toHaveLength(2);
    const [line = ''] = t.lines;
    expect(JSON.parse(line)).toEqual({
      message: 'A source could not be refreshed.',
      source: 'up',
      code: 'bad_status',
      reason: 'Source up responded with an error: 500',
    });
  });

  test('that is disabled is not called', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await refreshing([up.host]);
    await t.define({ base_url: up.url, ...CACHED, is_enabled: false });
    await t.tick();
    expect(up.asked).toEqual([]);
  });

  test('is aborted by a stop', async () => {
    await using up = upstream(() => new Promise<Response>(() => {}));
    await using t = await refreshing([up.host]);
    await t.define({ base_url: up.url, ...CACHED });
    void t.tick();
    while (up.asked.length === 0) await Bun.sleep(5);
    await t.jobs.stop();
    expect(t.lines).toEqual([]);
  });

  test('starts within 5 seconds of its time, spread by chance', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await refreshing([up.host], () => 0.5);
    await t.define({ base_url: up.url, ...CACHED });
    await t.tick();
    expect(up.asked).toEqual([]);
    t.pass(2_500);
    await t.jobs.runDue();
    expect(up.asked).toHaveLength(1);
  });
});
