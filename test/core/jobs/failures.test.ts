import { describe, expect, test } from 'bun:test';
import { JobError } from '../../../src/core/jobs/definition.ts';
import { type TestApp, testApp } from '../../support.ts';
import { until } from '../../until.ts';
import { DAY_MS, HOUR_MS, jobsOf, rows } from './support.ts';

const refuse = async () => {
  throw new Error('451 later');
};

/** The waits between the attempts of a job that always fails, in seconds. */
async function waits(t: TestApp, random: () => number, maxAttempts?: number) {
  const { queue, jobs, enqueue, pass, now } = jobsOf(t, { random });
  queue.define({ name: 'fail', run: refuse, maxAttempts });
  await enqueue('fail');
  const seconds: number[] = [];
  for (;;) {
    await jobs.runDue();
    const [row] = rows(t);
    if (row?.state !== 'waiting') return seconds;
    const waitMs = Date.parse(row.due_at) - now().getTime();
    seconds.push(Math.round(waitMs / 1000));
    pass(waitMs);
  }
}

describe('a job that fails', () => {
  test('is retried with exponential backoff and full jitter', async () => {
    await using t = await testApp();
    expect(await waits(t, () => 0.999_999)).toEqual([15, 30, 60, 120, 240, 480, 960, 1920, 3600]);
    await using other = await testApp();
    expect(await waits(other, () => 0.01, 4)).toEqual([0, 0, 1]);
  });

  test('becomes a dead letter after its last attempt, with its last error', async () => {
    await using t = await testApp();
    const { queue, jobs, enqueue, pass } = jobsOf(t);
    let calls = 0;
    const run = async () => {
      throw new Error(`451 ${++calls}`);
    };
    queue.define({ name: 'fail', run, maxAttempts: 3 });
    await enqueue('fail', { a: 1 });
    for (let n = 0; n < 5; n++) {
      await jobs.runDue();
      pass(HOUR_MS);
    }
    expect(calls).toBe(3);
    expect(rows(t)).toMatchObject([
      { state: 'dead', attempts: 3, last_error: '451 3', payload: '{"a":1}', holder: null },
    ]);
    expect(t.logLines.join('')).toContain('A job was given up.');
  });

  test('is reported once its end is stored', async () => {
    await using t = await testApp();
    const states: unknown[] = [];
    const log = { ...t.deps.log, error: () => void states.push(rows(t)[0]?.state) };
    const { queue, jobs, enqueue } = jobsOf(t, { log });
    queue.define({ name: 'fail', run: refuse, maxAttempts: 1 });
    await enqueue('fail');
    await jobs.runDue();
    expect(states).toEqual(['dead']);
  });

  test('for good is given up at once, with the remainder of its payload', async () => {
    await using t = await testApp();
    const { queue, jobs, enqueue } = jobsOf(t);
    queue.define<{ to: string; link: string }>({
      name: 'fail',
      run: async () => {
        throw new JobError('550 no such user', { isFinal: true });
      },
      isSecret: true,
      remainder: ({ to }) => ({ to }),
    });
    await enqueue('fail', { to: 'ada', link: 'secret' });
    await jobs.runDue();
    expect(rows(t)).toMatchObject([
      { state: 'dead', attempts: 1, payload: '{"to":"ada"}', last_error: '550 no such user' },
    ]);
  });

  test('waits as long as it asks', async () => {
    await using t = await testApp();
    const { queue, jobs, enqueue, now } = jobsOf(t);
    queue.define({
      name: 'fail',
      run: async () => {
        throw new JobError('429', { retryAfterMs: HOUR_MS });
      },
    });
    await enqueue('fail');
    await jobs.runDue();
    expect(Date.parse(rows(t)[0]?.due_at ?? '') - now().getTime()).toBe(HOUR_MS);
  });

  test('does not delay others', async () => {
    await using t = await testApp();
    const { queue, jobs, enqueue } = jobsOf(t);
    const done: unknown[] = [];
    queue.define({
      name: 'some',
      run: async (payload) => {
        if (payload === 0) throw new Error('no');
        done.push(payload);
      },
    });
    for (let n = 0; n < 30; n++) await enqueue('some', n);
    await jobs.runDue();
    expect(done).toHaveLength(29);
    expect(rows(t)).toMatchObject([{ payload: '0', attempts: 1, last_error: 'no' }]);
  });

  test('by taking too long is aborted and retried', async () => {
    await using t = await testApp();
    const { queue, jobs, enqueue } = jobsOf(t);
    let reason: unknown;
    queue.define({
      name: 'slow',
      timeoutMs: 20,
      run: (_, { signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
          });
        }),
    });
    await enqueue('slow');
    await jobs.runDue();
    expect(String(reason)).toContain('longer than 0.02 s');
    expect(rows(t)).toMatchObject([{ state: 'waiting', attempts: 1 }]);
  });
});

test('a run whose end could not be stored is not repeated by this process', async () => {
  await using t = await testApp();
  const { queue, jobs, enqueue, timers, fire } = jobsOf(t);
  let runs = 0;
  queue.define({ name: 'count', run: async () => void runs++ });
  await enqueue('count');
  t.deps.db.client.run(
    `create trigger stuck before delete on jobs begin select raise(abort, 'stuck'); end`,
  );
  const done = jobs.runDue();
  await until(() => timers.length === 1);
  expect(timers[0]?.delayMs).toBe(1_000);
  t.deps.db.client.run('drop trigger stuck');
  fire();
  await done;
  expect([runs, rows(t)]).toEqual([1, []]);
  expect(t.logLines.join('')).toContain('The end of a job could not be stored');
});

test('dead letters are deleted 30 days after they were given up', async () => {
  await using t = await testApp();
  const { queue, jobs, enqueue, pass } = jobsOf(t);
  queue.define({ name: 'fail', run: refuse, maxAttempts: 1 });
  await enqueue('fail');
  await jobs.runDue();
  pass(30 * DAY_MS);
  await jobs.runAll();
  expect(rows(t)).toHaveLength(1);
  pass(1);
  await jobs.runAll();
  expect(rows(t)).toEqual([]);
});

test('the stats count jobs by state and name failing housekeeping', async () => {
  await using t = await testApp();
  const broken = { name: 'broken', everyMs: HOUR_MS, run: () => Promise.reject(new Error('no')) };
  const { queue, jobs, enqueue } = jobsOf(t, { recurring: [broken] });
  queue.define({ name: 'fail', run: refuse, maxAttempts: 1 });
  queue.define({ name: 'count', run: async () => {} });
  await enqueue('fail');
  await jobs.runDue();
  await enqueue('count');
  expect(await jobs.stats()).toEqual({ waiting: 1, running: 0, dead: 1, failing: [] });
  jobs.start({ isAlone: true });
  await until(async () => (await jobs.stats()).failing.length === 1);
  expect(await jobs.stats()).toMatchObject({ failing: ['broken'] });
  await jobs.stop();
});
