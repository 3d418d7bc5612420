import { describe, expect, test } from 'bun:test';
import { createAdmission } from '../../src/core/admission.ts';

const NO_WRITES = { queued: 0, writes: 0 };

/** An event loop with its own clock: requests take time, and timers run between turns. */
function createLoop(backlog: () => { queued: number; writes: number } = () => NO_WRITES) {
  let now = 1000;
  let timers: { at: number; run(): void }[] = [];
  const warnings: unknown[] = [];
  const admission = createAdmission({
    log: { warn: (message) => void warnings.push(message) },
    backlog,
    clock: () => now,
    later: (run, ms) => void timers.push({ at: now + ms, run }),
  });
  const endTurn = () => {
    const due = timers.filter(({ at }) => at <= now);
    timers = timers.filter(({ at }) => at > now);
    for (const { run } of due) run();
  };
  /** Runs a turn with `count` requests of `costMs` each; returns the number of admitted ones. */
  const turn = (count: number, costMs: number): number => {
    let admitted = 0;
    for (let index = 0; index < count; index++) {
      const isRefused = admission.isOverloaded();
      if (isRefused) void admission.refusal(() => undefined);
      else admitted++;
      now += isRefused ? 0.01 : costMs;
    }
    endTurn();
    return admitted;
  };
  const wait = (ms: number) => {
    for (const until = now + ms; now < until; now += 1) endTurn();
  };
  return {
    admission,
    turn,
    wait,
    warnings,
    pause: (ms: number) => (now += ms),
    timers: () => timers,
  };
}

describe('admission control', () => {
  test('admits a burst of 500 requests on an idle server, even if they are slow at first', () => {
    const loop = createLoop();
    expect(loop.turn(500, 1.9)).toBe(500);
  });

  // proves: costly-work.overload
  test('refuses nothing while the loop is busy but its turns are short', () => {
    const loop = createLoop();
    for (let index = 0; index < 500; index++) expect(loop.turn(80, 0.5)).toBe(80);
  });

  test('refuses nothing after a single pause of the process at half load', () => {
    const loop = createLoop();
    for (let index = 0; index < 50; index++) loop.turn(25, 0.2);
    loop.pause(3000);
    // The requests that arrived meanwhile, then fewer each turn.
    for (let waiting = 7500; waiting > 10; waiting /= 2) {
      const count = Math.floor(waiting / 10);
      expect(loop.turn(count, 0.2)).toBe(count);
    }
  });

  // proves: costly-work.overload, 15.2.2
  test('limits turns after they have been long for a second, and still admits requests in each', () => {
    const loop = createLoop();
    for (let index = 0; index < 2; index++) expect(loop.turn(1000, 0.5)).toBe(1000);
    for (let index = 0; index < 20; index++) {
      const admitted = loop.turn(1000, 0.5);
      expect(admitted).toBeGreaterThanOrEqual(500);
      expect(admitted).toBeLessThan(510);
    }
    expect(loop.admission.refused()).toBeGreaterThan(9000);
  });

  test('ends a turn that would otherwise not end', () => {
    const loop = createLoop();
    const admitted = loop.turn(50_000, 0.2);
    expect(admitted).toBeLessThan(5100);
    expect(admitted).toBeGreaterThan(4900);
  });

  test('admits everything again after a second without a necessary refusal', () => {
    const loop = createLoop();
    for (let index = 0; index < 10; index++) loop.turn(1000, 0.5);
    for (let index = 0; index < 60; index++) {
      expect(loop.turn(100, 0.2)).toBe(100);
      loop.wait(20);
    }
    expect(loop.turn(500, 0.2)).toBe(500);
  });

  test('refuses while writes wait for long, but not during a burst of writes', () => {
    let queued = 0;
    let writes = 0;
    const loop = createLoop(() => ({ queued, writes }));
    const second = () => {
      let admitted = 0;
      for (let index = 0; index < 50; index++) {
        admitted += loop.turn(1, 0.2);
        loop.wait(20);
        writes += 40;
      }
      return admitted;
    };
    queued = 300;
    expect(second()).toBe(50);
    queued = 2000;
    second();
    second();
    expect(second()).toBe(0);
    queued = 100;
    second();
    second();
    expect(second()).toBe(50);
  });

  test('does not refuse because another process holds the lock', () => {
    let queued = 0;
    const loop = createLoop(() => ({ queued, writes: 500 }));
    for (let index = 0; index < 200; index++) {
      queued += 1;
      expect(loop.turn(1, 0.2)).toBe(1);
      loop.wait(20);
    }
  });

  test('delays refusals beyond their share of the time, and sends them in order', async () => {
    const loop = createLoop();
    for (let index = 0; index < 10; index++) loop.turn(1000, 0.5);
    const sent: number[] = [];
    const refuse = (index: number) => loop.admission.refusal(() => void sent.push(index));
    const responses = Array.from({ length: 3000 }, (_, index) => refuse(index));
    expect(sent.length).toBeLessThan(2000);
    for (let index = 0; index < 100; index++) {
      loop.turn(1, 0.2);
      loop.wait(20);
    }
    await Promise.all(responses);
    expect(sent).toEqual(Array.from({ length: 3000 }, (_, index) => index));
  });

  test('warns only at the first refusal', () => {
    const loop = createLoop();
    for (let index = 0; index < 10; index++) loop.turn(1000, 0.5);
    expect(loop.admission.refused()).toBeGreaterThan(1000);
    expect(loop.warnings).toHaveLength(1);
  });

  test('runs no timer in an idle process', () => {
    const loop = createLoop();
    loop.turn(1, 0.2);
    expect(loop.timers()).toHaveLength(1);
    loop.wait(50);
    expect(loop.timers()).toHaveLength(0);
  });
});
