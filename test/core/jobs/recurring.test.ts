import { describe, expect, test } from 'bun:test';
import { createRecurring, type Job } from '../../../src/core/jobs/recurring.ts';
import type { Log } from '../../../src/core/log.ts';
import { until } from '../../until.ts';

/** Housekeeping that the test wakes by the names of its jobs. */
function housekeeping(runs: Record<string, () => Promise<boolean>>) {
  const wakes = new Map<string, () => void>();
  const errors: unknown[] = [];
  const jobs = Object.entries(runs).map(
    ([name, run]): Job => ({
      name,
      everyMs: 3_600_000,
      run,
      onDue: (wake) => void wakes.set(name, wake),
    }),
  );
  const log = { error: (_: string, fields: object) => void errors.push(fields) } as unknown as Log;
  const recurring = createRecurring({ log, jobs });
  recurring.start();
  return { recurring, errors, wake: (name: string) => wakes.get(name)?.() };
}

/** Occupies the event loop. */
function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('housekeeping', () => {
  test('rests after each run, so that other work takes its turns', async () => {
    let turns = 0;
    const between: number[] = [];
    const interval = setInterval(() => turns++, 1);
    const { recurring, wake } = housekeeping({
      long: async () => {
        between.push(turns);
        turns = 0;
        work(5);
        return between.length < 10;
      },
    });
    wake('long');
    await until(() => between.length === 10);
    clearInterval(interval);
    await recurring.stop();
    expect(Math.min(...between.slice(1))).toBeGreaterThan(0);
  });

  test('alternates the runs of several jobs', async () => {
    const order: string[] = [];
    const runOf = (name: string) => async () => order.push(name) < 9;
    const { recurring, wake } = housekeeping({ a: runOf('a'), b: runOf('b') });
    wake('a');
    wake('b');
    await until(() => order.length >= 10);
    await recurring.stop();
    expect(order.slice(0, 8).join('')).toBe('abababab');
  });

  test('runs once more if it is woken meanwhile', async () => {
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const { recurring, wake } = housekeeping({
      a: async () => {
        runs++;
        await gate.promise;
        return false;
      },
    });
    wake('a');
    await until(() => runs === 1);
    for (let n = 0; n < 5; n++) wake('a');
    gate.resolve();
    await until(() => runs === 2);
    await recurring.stop();
    expect(runs).toBe(2);
  });

  test('that fails is logged and reported until a run succeeds, and delays no other', async () => {
    let isBroken = true;
    let others = 0;
    const { recurring, errors, wake } = housekeeping({
      broken: async () => {
        if (isBroken) throw new Error('no');
        return false;
      },
      other: async () => ++others < 3,
    });
    wake('broken');
    wake('other');
    await until(() => others === 3 && recurring.failing().length === 1);
    expect(recurring.failing()).toEqual(['broken']);
    expect(errors).toMatchObject([{ job: 'broken' }]);
    isBroken = false;
    wake('broken');
    await until(() => recurring.failing().length === 0);
    await recurring.stop();
  });

  test('starts nothing after a stop, which waits for the current run', async () => {
    const gate = Promise.withResolvers<void>();
    let starts = 0;
    let ends = 0;
    const { recurring, wake } = housekeeping({
      a: async () => {
        starts++;
        await gate.promise;
        ends++;
        return true;
      },
    });
    wake('a');
    await until(() => starts === 1);
    const stopped = recurring.stop();
    gate.resolve();
    await stopped;
    wake('a');
    expect([starts, ends]).toEqual([1, 1]);
  });
});
