import { afterEach, describe, expect, jest, test } from 'bun:test';
import { AppError } from '../../src/core/exceptions.ts';
import { createSignInThrottle, type SignInThrottle } from '../../src/services/throttle.ts';
import { atOnce } from '../support.ts';

const QUARTER_HOUR_SECONDS = 900;

const newThrottle = () => createSignInThrottle({ limitSignIns: 5, limitSignInsAddress: 50 });

afterEach(() => void jest.useRealTimers());

/** Seconds that this attempt is told to wait; 0 when it may go on. */
async function waitOf(throttle: SignInThrottle, login: string, address: string | null = null) {
  try {
    await throttle.begin(login, address);
    return 0;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'too_many_requests') throw error;
    return error.retryAfterSeconds ?? 0;
  }
}

/** How many of `count` attempts one after another may go on. */
async function admitted(
  throttle: SignInThrottle,
  count: number,
  of: (index: number) => [login: string, address?: string],
) {
  let free = 0;
  for (let index = 0; index < count; index++) {
    if ((await waitOf(throttle, ...of(index))) === 0) free++;
  }
  return free;
}

function tick(seconds: number): void {
  jest.advanceTimersByTime(seconds * 1000);
}

describe('attempts to sign in', () => {
  test('50 at once get the free ones and no more', async () => {
    const throttle = newThrottle();
    const results = await atOnce(50, () => throttle.begin('ada', '203.0.113.7'));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(results.at(-1)).toMatchObject({ reason: { retryAfterSeconds: 1 } });
  });

  test('are as many as are set', async () => {
    const throttle = createSignInThrottle({ limitSignIns: 1, limitSignInsAddress: 3 });
    expect(await admitted(throttle, 3, () => ['ada', '203.0.113.7'])).toBe(1);
    expect(await admitted(throttle, 3, (i) => [`user${i}`, '203.0.113.8'])).toBe(3);
    expect(await waitOf(throttle, 'bob', '203.0.113.8')).toBe(1);
  });

  test('to an account are counted without case, from wherever they come', async () => {
    const throttle = newThrottle();
    const names = ['ada', 'ADA', 'Ada'];
    expect(await admitted(throttle, 20, (i) => [names[i % 3] ?? '', `203.0.113.${i}`])).toBe(5);
  });

  test('from an address are counted, whatever account they are for', async () => {
    const throttle = newThrottle();
    expect(await admitted(throttle, 80, (i) => [`user${i}`, '203.0.113.7'])).toBe(50);
  });

  test('from one /64 are of one address', async () => {
    const throttle = newThrottle();
    expect(await admitted(throttle, 80, (i) => [`user${i}`, `2001:db8::${i + 1}`])).toBe(50);
  });

  test('to one account leave another free, and from one address another', async () => {
    const throttle = newThrottle();
    await admitted(throttle, 6, () => ['ada', '203.0.113.7']);
    expect(await waitOf(throttle, 'bob', '203.0.113.7')).toBe(0);
    await admitted(throttle, 60, (i) => [`user${i}`, '203.0.113.7']);
    expect(await waitOf(throttle, 'carol', '203.0.113.7')).toBeGreaterThan(0);
    expect(await waitOf(throttle, 'carol', '203.0.113.8')).toBe(0);
  });

  test('without an address are counted for the account alone', async () => {
    const throttle = newThrottle();
    expect(await admitted(throttle, 10, () => ['ada'])).toBe(5);
    expect(await waitOf(throttle, 'bob')).toBe(0);
  });
});

describe('the wait', () => {
  /** The waits of an account that fails whenever it may, `rounds` times. */
  async function waits(throttle: SignInThrottle, rounds: number): Promise<number[]> {
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      let wait = 0;
      while (wait === 0) wait = await waitOf(throttle, 'ada');
      seconds.push(wait);
      tick(wait);
    }
    return seconds;
  }

  test('grows, and never past a quarter of an hour', async () => {
    jest.useFakeTimers();
    const seconds = await waits(newThrottle(), 14);
    expect(seconds.slice(0, 4)).toEqual([1, 2, 4, 8]);
    expect(seconds.at(-1)).toBe(QUARTER_HOUR_SECONDS);
    expect(Math.max(...seconds)).toBe(QUARTER_HOUR_SECONDS);
  });

  test('lets one attempt through when it is over, also of 50 at once', async () => {
    jest.useFakeTimers();
    const throttle = newThrottle();
    await waits(throttle, 4);
    const results = await atOnce(50, () => throttle.begin('ada', null));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.at(-1)).toMatchObject({ reason: { retryAfterSeconds: 16 } });
    tick(16);
    expect(await admitted(throttle, 3, () => ['ada'])).toBe(1);
  });

  test('begins with the failure, not with the next attempt', async () => {
    jest.useFakeTimers();
    const throttle = newThrottle();
    await waits(throttle, 4);
    await throttle.begin('ada', null);
    tick(16);
    expect(await waitOf(throttle, 'ada')).toBe(0);
  });

  test('is not made longer by those who do not wait', async () => {
    jest.useFakeTimers();
    const throttle = newThrottle();
    await waits(throttle, 3);
    for (let i = 0; i < 5; i++) await waitOf(throttle, 'ada');
    const first = await waitOf(throttle, 'ada');
    for (let i = 0; i < 100; i++) expect(await waitOf(throttle, 'ada')).toBe(first);
  });

  test('is forgotten with a success', async () => {
    jest.useFakeTimers();
    const throttle = newThrottle();
    await waits(throttle, 6);
    await (await throttle.begin('ada', null)).succeeded();
    expect(await admitted(throttle, 5, () => ['ada'])).toBe(5);
    expect(await waitOf(throttle, 'ada')).toBe(1);
  });

  test('is forgotten after a day', async () => {
    jest.useFakeTimers();
    const throttle = newThrottle();
    await waits(throttle, 6);
    tick(25 * 3600);
    expect((await waits(throttle, 1))[0]).toBe(1);
  });

  test('of an address is not lifted by a success, which alone is given back', async () => {
    const throttle = newThrottle();
    const address = '203.0.113.7';
    await admitted(throttle, 49, (i) => [`user${i}`, address]);
    await (await throttle.begin('ada', address)).succeeded();
    expect(await waitOf(throttle, 'bob', address)).toBe(0);
    expect(await waitOf(throttle, 'carol', address)).toBeGreaterThan(0);
  });

  test('of an address is not lifted by a success that took longer than its own wait', async () => {
    jest.useFakeTimers();
    const throttle = newThrottle();
    const address = '203.0.113.7';
    await admitted(throttle, 49, (i) => [`user${i}`, address]);
    const slow = await throttle.begin('ada', address);
    tick(1);
    expect(await waitOf(throttle, 'bob', address)).toBe(0);
    await slow.succeeded();
    expect(await waitOf(throttle, 'carol', address)).toBe(2);
  });

  test('of an address is not made longer by those who succeed', async () => {
    jest.useFakeTimers();
    const throttle = newThrottle();
    const address = '203.0.113.7';
    await admitted(throttle, 50, (i) => [`user${i}`, address]);
    tick(1);
    for (let i = 0; i < 3; i++) await (await throttle.begin(`ada${i}`, address)).succeeded();
    expect(await waitOf(throttle, 'bob', address)).toBe(0);
    expect(await waitOf(throttle, 'carol', address)).toBe(2);
  });
});
