import { describe, expect, test } from 'bun:test';
import { testApp } from '../../support.ts';
import { until } from '../../until.ts';
import { DAY_MS, HOUR_MS, jobsOf, rows, START_MS } from './support.ts';

describe('a queued job', () => {
  test('runs with its payload after the commit, at once, and is deleted', async () => {
    await using t = await testApp();
    const { queue, jobs, timers } = jobsOf(t);
    const seen: unknown[] = [];
    const enqueue = queue.define<{ n: number }>({
      name: 'count',
      run: async (payload, { attempt }) => void seen.push([payload, attempt]),
    });
    jobs.start({ isAlone: true });
    await until(() => timers.length === 1);
    await t.deps.db.write((tx) => enqueue(tx, { n: 7 }));
    await until(() => rows(t).length === 0);
    expect(seen).toEqual([[{ n: 7 }, 1]]);
    await jobs.stop();
  });

  test('is rolled back with its transaction', async () => {
    await using t = await testApp();
    const { queue, jobs } = jobsOf(t);
    let runs = 0;
    const enqueue = queue.define({ name: 'count', run: async () => void runs++ });
    const failing = t.deps.db.write(async (tx) => {
      await enqueue(tx, null);
      throw new Error('no');
    });
    expect(await failing.catch(String)).toBe('Error: no');
    await jobs.runDue();
    expect([runs, rows(t)]).toEqual([0, []]);
  });

  test('with a time runs no earlier, by a timer', async () => {
    await using t = await testApp();
    const { queue, jobs, timers, pass, fire, enqueue } = jobsOf(t);
    let runs = 0;
    queue.define({ name: 'count', run: async () => void runs++ });
    await enqueue('count', null, { at: new Date(START_MS + 3_000) });
    jobs.start({ isAlone: true });
    await until(() => timers.length === 1);
    expect([runs, timers[0]?.delayMs]).toEqual([0, 3_000]);
    pass(3_000);
    fire();
    await until(() => rows(t).length === 0);
    expect(runs).toBe(1);
    await jobs.stop();
  });

  test('with a key is queued once while it waits, and never runs twice at a time', async () => {
    await using t = await testApp();
    const { queue, jobs, timers, enqueue } = jobsOf(t);
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const seen: unknown[] = [];
    let most = 0;
    let active = 0;
    queue.define({
      name: 'sync',
      run: async (payload) => {
        most = Math.max(most, ++active);
        const gate = gates[seen.push(payload) - 1];
        await gate?.promise;
        active--;
      },
    });
    for (const n of [1, 2, 3]) await enqueue('sync', n, { key: 'a' });
    expect(rows(t)).toHaveLength(1);
    jobs.start({ isAlone: true });
    await until(() => seen.length === 1);
    for (const n of [4, 5]) await enqueue('sync', n, { key: 'a' });
    await until(() => timers.length === 1);
    expect([seen, rows(t).length]).toEqual([[1], 2]);
    for (const { resolve } of gates) resolve();
    await until(() => rows(t).length === 0);
    expect([seen, most]).toEqual([[1, 4], 1]);
    await jobs.stop();
  });

  test('that fails while another with its key waits is replaced by that one', async () => {
    await using t = await testApp();
    const { queue, jobs, enqueue } = jobsOf(t);
    const seen: unknown[] = [];
    queue.define({
      name: 'sync',
      run: async (payload) => {
        seen.push(payload);
        if (payload !== 1) return;
        await enqueue('sync', 2, { key: 'a' });
        throw new Error('no');
      },
    });
    await enqueue('sync', 1, { key: 'a' });
    await jobs.runDue();
    expect([seen, rows(t)]).toEqual([[1, 2], []]);
  });

  test('does not wait for a clock that was set back', async () => {
    await using t = await testApp();
    const { queue, jobs, enqueue, pass } = jobsOf(t);
    let runs = 0;
    queue.define({ name: 'count', run: async () => void runs++ });
    await enqueue('count');
    await enqueue('count', null, { at: new Date(START_MS + HOUR_MS) });
    pass(-30 * DAY_MS);
    await jobs.runDue();
    expect([runs, rows(t).length]).toEqual([1, 1]);
  });

  test('of another process is found without a wake', async () => {
    await using t = await testApp();
    const server = jobsOf(t);
    const command = jobsOf(t);
    let runs = 0;
    for (const { queue } of [server, command]) {
      queue.define({ name: 'count', run: async () => void runs++ });
    }
    server.jobs.start({ isAlone: true });
    await until(() => server.timers.length === 1);
    expect(server.timers[0]?.delayMs).toBe(5_000);
    await command.enqueue('count');
    expect(runs).toBe(0);
    server.fire();
    await until(() => rows(t).length === 0);
    expect(runs).toBe(1);
    await server.jobs.stop();
  });

  test('costs one insert and nothing else in the transaction', async () => {
    await using t = await testApp();
    const { queue, enqueue } = jobsOf(t);
    queue.define({ name: 'count', run: async () => {} });
    await enqueue('count', { a: 1 }, { key: 'k', at: new Date(START_MS + HOUR_MS) });
    expect(rows(t)).toMatchObject([
      {
        name: 'count',
        key: 'k',
        state: 'waiting',
        payload: '{"a":1}',
        attempts: 0,
        due_at: '2026-11-22T17:00:00.000Z',
      },
    ]);
  });
});

describe('a secret payload', () => {
  test('is stored sealed, and opened for the run', async () => {
    await using t = await testApp();
    const { queue, jobs, enqueue } = jobsOf(t);
    const seen: unknown[] = [];
    const run = async (payload: unknown) => void seen.push(payload);
    queue.define({ name: 'secret', run, isSecret: true });
    await enqueue('secret', { token: 'four-warm-hutches' });
    expect(rows(t)[0]?.payload).toStartWith('v1.');
    await jobs.runDue();
    expect(seen).toEqual([{ token: 'four-warm-hutches' }]);
  });
});

describe('a mistake is refused', () => {
  test.each([
    ['an invalid name', { name: 'Not A Name' }, 'not a valid name'],
    ['a name that is taken', { name: 'count' }, 'defined twice'],
    ['an invalid cron expression', { name: 'other', cron: '99 * * * *' }, ''],
    [
      'a cron expression that never matches',
      { name: 'other', cron: '0 0 30 2 *' },
      'never matches',
    ],
  ])('%s', async (_, definition, message) => {
    await using t = await testApp();
    const { queue } = jobsOf(t);
    queue.define({ name: 'count', run: async () => {} });
    expect(() => queue.define({ run: async () => {}, ...definition })).toThrow(message);
  });

  test('an undefined job, a large payload and a long key', async () => {
    await using t = await testApp();
    const { queue, enqueue } = jobsOf(t);
    queue.define({ name: 'count', run: async () => {} });
    expect(await enqueue('other').catch(String)).toContain('not defined');
    expect(await enqueue('count', 'x'.repeat(65_535)).catch(String)).toContain('over 65536 bytes');
    expect(await enqueue('count', null, { key: 'x'.repeat(201) }).catch(String)).toContain('key');
    expect(rows(t)).toEqual([]);
    await enqueue('count', 'x'.repeat(65_534));
    expect(rows(t)).toHaveLength(1);
  });
});
