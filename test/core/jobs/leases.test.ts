import { describe, expect, test } from 'bun:test';
import { type TestApp, testApp } from '../../support.ts';
import { until } from '../../until.ts';
import { DAY_MS, jobsOf, rows, type TestJobs } from './support.ts';

/** Two processes on one database that define the same job. */
function two(t: TestApp, run: (process: number) => Promise<void>, more: object = {}) {
  const both = [jobsOf(t), jobsOf(t)] as [TestJobs, TestJobs];
  for (const [index, { queue }] of both.entries()) {
    queue.define({ name: 'work', run: () => run(index), ...more });
  }
  return both;
}

/** Work that never ends and counts its starts. */
function endless() {
  const starts: number[] = [];
  const run = (process: number) => {
    starts.push(process);
    return new Promise<void>(() => {});
  };
  return { starts, run };
}

describe('a job that runs', () => {
  test('is not taken by another process until its lease ends', async () => {
    await using t = await testApp();
    const { starts, run } = endless();
    const [one, other] = two(t, run, { timeoutMs: 60_000 });
    await one.enqueue('work');
    void one.jobs.runDue();
    await until(() => starts.length === 1);
    other.pass(89_000);
    await other.jobs.runDue();
    expect(starts).toEqual([0]);
    other.pass(1_000);
    void other.jobs.runDue();
    await until(() => starts.length === 2);
    expect(starts).toEqual([0, 1]);
    expect(rows(t)).toMatchObject([
      { state: 'running', attempts: 2, last_error: 'The process ended during the run' },
    ]);
  });

  test('is not taken again by its own process, however far the clock jumps', async () => {
    await using t = await testApp();
    const { starts, run } = endless();
    const [one] = two(t, run);
    await one.enqueue('work');
    void one.jobs.runDue();
    await until(() => starts.length === 1);
    one.pass(30 * DAY_MS);
    void one.jobs.runDue();
    await Bun.sleep(20);
    expect(starts).toEqual([0]);
  });

  test('cannot be finished by a process that has lost it', async () => {
    await using t = await testApp();
    const gate = Promise.withResolvers<void>();
    const starts: number[] = [];
    const [one, other] = two(t, (process) => {
      starts.push(process);
      return process === 0 ? gate.promise : new Promise(() => {});
    });
    await one.enqueue('work');
    const done = one.jobs.runDue();
    await until(() => starts.length === 1);
    other.pass(DAY_MS);
    void other.jobs.runDue();
    await until(() => starts.length === 2);
    gate.resolve();
    await done;
    expect(rows(t)).toMatchObject([{ state: 'running', attempts: 2 }]);
  });

  test('is taken over at once by the only process, after a crash', async () => {
    await using t = await testApp();
    const { starts, run } = endless();
    const [crashed, next] = two(t, run);
    await crashed.enqueue('work');
    void crashed.jobs.runDue();
    await until(() => starts.length === 1);
    next.jobs.start({ isAlone: true });
    await until(() => starts.length === 2);
    expect(starts).toEqual([0, 1]);
  });

  test('is given up if each attempt ends the process', async () => {
    await using t = await testApp();
    let starts = 0;
    const run = () => {
      starts++;
      return new Promise<void>(() => {});
    };
    for (let n = 1; n <= 4; n++) {
      const { queue, jobs, enqueue, timers } = jobsOf(t);
      queue.define({ name: 'deadly', run, maxAttempts: 3 });
      if (n === 1) await enqueue('deadly');
      jobs.start({ isAlone: true });
      await until(() => timers.length === 1);
    }
    expect(starts).toBe(3);
    expect(rows(t)).toMatchObject([
      { state: 'dead', attempts: 3, last_error: 'The process ended during the run' },
    ]);
  });
});

describe('the limit on jobs of a name that run at once', () => {
  test('holds in one process and over all of them', async () => {
    await using t = await testApp();
    let most = 0;
    let active = 0;
    const run = async () => {
      most = Math.max(most, ++active);
      await Bun.sleep(1);
      active--;
    };
    const [one, other] = two(t, run, { concurrency: 3 });
    for (let n = 0; n < 40; n++) await one.enqueue('work', n);
    while (rows(t).length > 0) await Promise.all([one.jobs.runDue(), other.jobs.runDue()]);
    expect(most).toBe(3);
  });

  test('of one name does not hold up another', async () => {
    await using t = await testApp();
    const { starts, run } = endless();
    const { queue, jobs, enqueue } = jobsOf(t);
    let done = 0;
    queue.define({ name: 'endless', run: () => run(0), concurrency: 2 });
    queue.define({ name: 'quick', run: async () => void done++ });
    for (let n = 0; n < 10; n++) await enqueue('endless');
    await enqueue('quick');
    jobs.start({ isAlone: true });
    await until(() => done === 1);
    expect(starts).toHaveLength(2);
  });
});

describe('a stop', () => {
  test('waits for running jobs and starts no more', async () => {
    await using t = await testApp();
    const gate = Promise.withResolvers<void>();
    const { queue, jobs, enqueue } = jobsOf(t);
    let ends = 0;
    let starts = 0;
    const run = async () => {
      starts++;
      await gate.promise;
      ends++;
    };
    queue.define({ name: 'work', run, concurrency: 1 });
    for (let n = 0; n < 3; n++) await enqueue('work');
    jobs.start({ isAlone: true });
    await until(() => starts === 1);
    const stopped = jobs.stop();
    gate.resolve();
    await stopped;
    await enqueue('work');
    expect([starts, ends, rows(t).length]).toEqual([1, 1, 3]);
  });

  test('aborts jobs that take too long, and does not count the attempt', async () => {
    await using t = await testApp();
    const { queue, jobs, enqueue } = jobsOf(t, { drainMs: 20 });
    let isAborted = false;
    const starts: number[] = [];
    queue.define({
      name: 'work',
      run: (_, { signal, attempt }) => {
        starts.push(attempt);
        signal.addEventListener('abort', () => {
          isAborted = true;
        });
        return new Promise(() => {});
      },
    });
    await enqueue('work');
    jobs.start({ isAlone: true });
    await until(() => starts.length === 1);
    await jobs.stop();
    expect(isAborted).toBe(true);
    expect(rows(t)).toMatchObject([{ state: 'waiting', attempts: 0, last_error: null }]);
  });
});
