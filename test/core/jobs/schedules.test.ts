import { describe, expect, test } from 'bun:test';
import { type TestApp, testApp } from '../../support.ts';
import { until } from '../../until.ts';
import { DAY_MS, HOUR_MS, jobsOf, rows } from './support.ts';

const DAILY = '0 3 * * *';

/** A process with a job that runs daily at 03:00 UTC and notes its runs. */
function daily(t: TestApp, at: string, runs: string[], cron = DAILY) {
  const it = jobsOf(t, { at: Date.parse(at) });
  it.queue.define({
    name: 'notes.daily',
    cron,
    run: async (payload, { now }) => {
      expect(payload).toBeNull();
      runs.push(now().toISOString());
    },
  });
  return it;
}

describe('a job with a cron expression', () => {
  test('runs at its times in UTC, across both changes of daylight saving', async () => {
    await using t = await testApp();
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Europe/Berlin';
    try {
      for (const day of ['2026-03-28', '2026-10-24']) {
        const runs: string[] = [];
        const { jobs, pass } = daily(t, `${day}T12:00:00.000Z`, runs);
        for (let hour = 0; hour < 48; hour++) {
          await jobs.runDue();
          pass(HOUR_MS);
        }
        const [first = ''] = runs;
        expect(runs.map((it) => it.slice(11, 16))).toEqual(['03:00', '03:00']);
        expect(Date.parse(runs[1] ?? '') - Date.parse(first)).toBe(DAY_MS);
        t.deps.db.client.run('delete from job_schedules');
      }
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  test('does not run at its first start', async () => {
    await using t = await testApp();
    const runs: string[] = [];
    const { jobs } = daily(t, '2026-11-22T16:00:00.000Z', runs);
    await jobs.runDue();
    expect(runs).toEqual([]);
  });

  test('that was missed while the server was off runs once at the next start', async () => {
    await using t = await testApp();
    const runs: string[] = [];
    await daily(t, '2026-11-22T16:00:00.000Z', runs).jobs.runDue();
    const later = daily(t, '2026-12-22T16:00:00.000Z', runs);
    await later.jobs.runDue();
    await later.jobs.runDue();
    expect(runs).toEqual(['2026-12-22T16:00:00.000Z']);
    later.pass(11 * HOUR_MS);
    await later.jobs.runDue();
    expect(runs).toHaveLength(2);
  });

  test('that was missed while the machine slept for 30 days runs once', async () => {
    await using t = await testApp();
    const runs: string[] = [];
    const { jobs, pass } = daily(t, '2026-11-22T16:00:00.000Z', runs, '*/5 * * * *');
    await jobs.runDue();
    pass(30 * DAY_MS);
    await jobs.runDue();
    await jobs.runDue();
    expect(runs).toEqual(['2026-12-22T16:00:00.000Z']);
  });

  test('runs at the new times after the clock was set back or the expression changed', async () => {
    await using t = await testApp();
    const runs: string[] = [];
    const { jobs, clock } = daily(t, '2026-11-22T16:00:00.000Z', runs);
    await jobs.runDue();
    clock.ms = Date.parse('2025-01-01T00:00:00.000Z');
    await jobs.runDue();
    expect(runs).toEqual([]);
    clock.ms = Date.parse('2025-01-01T03:00:00.000Z');
    await jobs.runDue();
    expect(runs).toEqual(['2025-01-01T03:00:00.000Z']);
    const changed = daily(t, '2025-01-01T04:00:00.000Z', runs, '30 * * * *');
    await changed.jobs.runDue();
    changed.pass(HOUR_MS / 2);
    await changed.jobs.runDue();
    expect(runs).toEqual(['2025-01-01T03:00:00.000Z', '2025-01-01T04:30:00.000Z']);
  });

  test('runs once if two processes find it due', async () => {
    await using t = await testApp();
    const runs: string[] = [];
    const both = [0, 1].map(() => daily(t, '2026-11-22T16:00:00.000Z', runs));
    for (const { jobs } of both) await jobs.runDue();
    for (const { pass } of both) pass(11 * HOUR_MS);
    await Promise.all(both.map(({ jobs }) => jobs.runDue()));
    expect(runs).toEqual(['2026-11-23T03:00:00.000Z']);
  });

  test('is not queued again while the last one waits for its retry', async () => {
    await using t = await testApp();
    const { queue, jobs, pass } = jobsOf(t, { random: () => 0.999_999 });
    const run = () => Promise.reject(new Error('no'));
    queue.define({ name: 'notes.fail', cron: '* * * * *', run, backoffMs: () => 10 * HOUR_MS });
    await jobs.runDue();
    for (let minute = 0; minute < 5; minute++) {
      pass(60_000);
      await jobs.runDue();
    }
    expect(rows(t)).toMatchObject([{ attempts: 1, key: 'schedule', last_error: 'no' }]);
  });

  test('is woken by a timer', async () => {
    await using t = await testApp();
    const runs: string[] = [];
    const { jobs, timers, pass, fire } = daily(t, '2026-11-22T02:59:58.000Z', runs);
    jobs.start({ isAlone: true });
    await until(() => timers.length === 1);
    expect(timers[0]?.delayMs).toBe(2_000);
    pass(2_000);
    fire();
    await until(() => runs.length === 1);
    await jobs.stop();
  });

  test('that is no longer defined is forgotten', async () => {
    await using t = await testApp();
    const runs: string[] = [];
    await daily(t, '2026-11-22T16:00:00.000Z', runs).jobs.runDue();
    await jobsOf(t).jobs.runDue();
    const again = daily(t, '2026-12-22T16:00:00.000Z', runs);
    await again.jobs.runDue();
    expect(runs).toEqual([]);
  });
});
