import { describe, expect, test } from 'bun:test';
import { createFairTurns } from '../../src/core/fair-turns.ts';
import { turns } from '../../src/utils/async/event-loop.ts';

const LIMITS = { maxWaiting: 100, maxWaitingPerKey: 50, sliceMs: 0 };

describe('fair turns', () => {
  // proves: costly-work.lists-searches-counts, 15.2.2
  test('run one step in each turn of the event loop, alternating between keys', async () => {
    const fair = createFairTurns(LIMITS);
    const steps: string[] = [];
    const work = async (key: string, count: number) => {
      const pace = fair.paceFor(key);
      for (let step = 0; step < count; step++) {
        await pace();
        steps.push(key);
      }
    };
    const greedy = Promise.all([work('a', 3), work('a', 3), work('a', 3)]);
    const modest = work('b', 3);
    await modest;
    // This key gets every second turn, regardless of the steps that wait with the other key.
    expect(steps.slice(0, 6)).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
    await greedy;
    expect(steps).toHaveLength(12);
  });

  // proves: costly-work.lists-searches-counts
  test('leave turns to other work', async () => {
    const fair = createFairTurns(LIMITS);
    let steps = 0;
    const work = async () => {
      const pace = fair.paceFor('a');
      for (let step = 0; step < 20; step++) {
        await pace();
        steps++;
      }
    };
    const all = Promise.all([work(), work(), work()]);
    await turns(10);
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThanOrEqual(11);
    await all;
  });

  test('do not wait within a slice', async () => {
    const pace = createFairTurns({ ...LIMITS, sliceMs: 60_000 }).paceFor('a');
    let isOver = false;
    setImmediate(() => {
      isOver = true;
    });
    for (let step = 0; step < 1000; step++) await pace();
    expect(isOver).toBe(false);
  });

  test.each([
    ['with one key', { ...LIMITS, maxWaitingPerKey: 2 }, 'a', 'overloaded'],
    ['in total', { ...LIMITS, maxWaiting: 2 }, 'b', 'overloaded'],
    [
      'with another key, which has its own limit',
      { ...LIMITS, maxWaitingPerKey: 2 },
      'b',
      undefined,
    ],
  ])('are refused if too many wait %s', async (_, limits, key, code) => {
    const fair = createFairTurns(limits);
    const waiting = [fair.paceFor('a')(), fair.paceFor('a')()];
    const refused = await fair
      .paceFor(key)()
      .catch((error) => error);
    expect(refused?.code).toBe(code);
    await Promise.all(waiting);
  });

  test.each([
    ['16 wait with one key', 1, 16],
    ['128 wait in total', 10, 128],
    // proves: costly-work.lists-searches-counts
  ])('by default %s', async (_, keys, most) => {
    const fair = createFairTurns({ sliceMs: 0 });
    const waiting = Array.from({ length: 150 }, (_, n) => fair.paceFor(`key ${n % keys}`)());
    const results = await Promise.allSettled(waiting);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(most);
  });
});
