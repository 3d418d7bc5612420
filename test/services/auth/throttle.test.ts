import { describe, expect, test } from 'bun:test';
import { AppError } from '../../../src/core/exceptions.ts';
import { createSignInThrottle, type SignInThrottle } from '../../../src/services/auth/throttle.ts';
import { atOnce, testApp } from '../../support.ts';

const QUARTER_HOUR_SECONDS = 900;
const HOUR_SECONDS = 3600;

/** A throttle on a database of its own, and a clock. */
async function setUp(free = { limitSignIns: 5, limitSignInsAddress: 50 }) {
  const t = await testApp();
  const { db } = t.deps;
  let at = Date.parse('2026-01-01T00:00:00.000Z');
  const now = () => new Date(at);
  const config = { ...free, rateLimit: 'on' as const };
  const restarted = (maxRows?: number) =>
    createSignInThrottle({ db, now, config, ...(maxRows && { maxRows }) });
  const tick = (seconds: number) => {
    at += seconds * 1000;
  };
  const purge = (maxRows?: number) => restarted(maxRows).job.run();
  const rows = () => db.client.query('select * from sign_in_failures').all().length;
  const it = { throttle: restarted(), db, restarted, tick, purge, rows };
  return { ...it, [Symbol.asyncDispose]: t[Symbol.asyncDispose] };
}

type SetUp = Awaited<ReturnType<typeof setUp>>;

/** Begins an attempt and fails. Returns the seconds that it is told to wait; 0 when it was judged. */
async function failOnce(
  { throttle, db }: Pick<SetUp, 'throttle' | 'db'>,
  bucket: string,
  address: string | null = null,
): Promise<number> {
  try {
    const attempt = await throttle.begin({ bucket, address });
    await db.write((tx) => attempt.fail(tx));
    attempt.end();
    return 0;
  } catch (error) {
    return waitOf(error);
  }
}

function waitOf(error: unknown): number {
  if (!(error instanceof AppError) || error.code !== 'too_many_requests') throw error;
  return error.retryAfterSeconds ?? 0;
}

async function succeed(throttle: SignInThrottle, bucket: string, address: string | null = null) {
  const attempt = await throttle.begin({ bucket, address });
  await attempt.succeed();
  attempt.end();
}

/** How many of `count` failing attempts one after another are judged. */
async function judged(it: SetUp, count: number, of: (index: number) => [string, string?]) {
  let free = 0;
  for (let index = 0; index < count; index++) {
    if ((await failOnce(it, ...of(index))) === 0) free++;
  }
  return free;
}

describe('sign-in attempts', () => {
  // proves: limits.failed-sign-ins-password-or-code-per-account, 6.3.1
  test('50 concurrent attempts use the free ones and no more', async () => {
    await using it = await setUp();
    const results = await atOnce(50, () =>
      it.throttle.begin({ bucket: 'ada', address: '203.0.113.7' }),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(results.at(-1)).toMatchObject({ reason: { retryAfterSeconds: 1 } });
  });

  test('are limited as configured', async () => {
    await using it = await setUp({ limitSignIns: 1, limitSignInsAddress: 3 });
    expect(await judged(it, 3, () => ['ada', '203.0.113.7'])).toBe(1);
    expect(await judged(it, 3, (i) => [`user${i}`, '203.0.113.8'])).toBe(3);
    expect(await failOnce(it, 'bob', '203.0.113.8')).toBe(1);
  });

  test('release their place when they end without a failure', async () => {
    await using it = await setUp();
    for (let i = 0; i < 20; i++) {
      (await it.throttle.begin({ bucket: 'ada', address: '203.0.113.7' })).end();
    }
    expect(it.rows()).toBe(0);
  });

  // proves: limits.failed-sign-ins-per-address-in-15-minutes
  test('from one address are counted across accounts', async () => {
    await using it = await setUp();
    expect(await judged(it, 80, (i) => [`user${i}`, '203.0.113.7'])).toBe(50);
  });

  test('from one /64 count as one address', async () => {
    await using it = await setUp();
    expect(await judged(it, 80, (i) => [`user${i}`, `2001:db8::${i + 1}`])).toBe(50);
  });

  // proves: 6.3.1
  test('do not affect other accounts or addresses', async () => {
    await using it = await setUp();
    await judged(it, 6, () => ['ada', '203.0.113.7']);
    expect(await failOnce(it, 'bob', '203.0.113.7')).toBe(0);
    await judged(it, 60, (i) => [`user${i}`, '203.0.113.7']);
    expect(await failOnce(it, 'carol', '203.0.113.7')).toBeGreaterThan(0);
    expect(await failOnce(it, 'carol', '203.0.113.8')).toBe(0);
  });

  test('without an address are counted only for the account', async () => {
    await using it = await setUp();
    expect(await judged(it, 10, () => ['ada'])).toBe(5);
    expect(await failOnce(it, 'bob')).toBe(0);
  });

  // proves: limits.guessing-and-lockout
  test('write nothing if they are refused', async () => {
    await using it = await setUp();
    await judged(it, 5, () => ['ada']);
    const { commits } = it.db.stats();
    expect(await judged(it, 20, () => ['ada'])).toBe(0);
    expect(it.db.stats().commits).toBe(commits);
  });

  // proves: limits.guessing-and-lockout
  test('that never stop are at most 20 in the first hour and 4 in each later hour', async () => {
    await using it = await setUp();
    const hours = [0, 0, 0];
    for (let second = 0; second < 3 * HOUR_SECONDS; second += 1) {
      if ((await failOnce(it, 'ada')) === 0) hours[Math.floor(second / HOUR_SECONDS)]! += 1;
      it.tick(1);
    }
    expect(hours[0]).toBeWithin(5, 21);
    for (const later of hours.slice(1)) expect(later).toBeWithin(1, 5);
  });
});

describe('failures', () => {
  // proves: limits.guessing-and-lockout
  test('survive a restart, and so does the wait', async () => {
    await using it = await setUp();
    await judged(it, 4, () => ['ada', '203.0.113.7']);
    const second = { throttle: it.restarted(), db: it.db };
    expect(await failOnce(second, 'ada', '203.0.113.7')).toBe(0);
    const third = { throttle: it.restarted(), db: it.db };
    expect(await failOnce(third, 'ada', '203.0.113.7')).toBe(1);
  });

  test('of an account and its networks are cleared together, and no others', async () => {
    await using it = await setUp();
    const own = ['account:1', 'account:1@203.0.113.7', 'account:1@2001:db8::/64'];
    const others = ['account:11', 'account:2', 'session:1'];
    for (const bucket of [...own, ...others]) await judged(it, 5, () => [bucket]);
    await it.db.write((tx) => it.throttle.forget(tx, 1));
    const waits = async (buckets: string[]) => {
      const all: number[] = [];
      for (const bucket of buckets) all.push(await failOnce(it, bucket));
      return all;
    };
    expect(await waits(own)).toEqual([0, 0, 0]);
    expect(await waits(others)).toEqual([1, 1, 1]);
  });

  test('are deleted once they expire', async () => {
    await using it = await setUp();
    await judged(it, 6, () => ['ada']);
    await judged(it, 3, () => ['bob']);
    it.tick(QUARTER_HOUR_SECONDS);
    await it.purge();
    expect(it.rows()).toBe(1);
    it.tick(24 * HOUR_SECONDS);
    await it.purge();
    expect(it.rows()).toBe(0);
  });

  test('have a maximum number of rows, and an account under attack is deleted last', async () => {
    await using it = await setUp();
    await judged(it, 6, () => ['ada']);
    await judged(it, 30, (i) => [`user${i}`]);
    await it.purge(10);
    expect(it.rows()).toBe(10);
    expect(await failOnce(it, 'ada')).toBe(1);
  });
});

describe('the wait', () => {
  /** The waits of a bucket that fails whenever it may, `rounds` times. */
  async function waits(it: SetUp, rounds: number): Promise<number[]> {
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      let wait = 0;
      while (wait === 0) wait = await failOnce(it, 'ada');
      seconds.push(wait);
      it.tick(wait);
    }
    return seconds;
  }

  // proves: limits.failed-sign-ins-password-or-code-per-account
  test('grows up to a quarter of an hour', async () => {
    await using it = await setUp();
    const seconds = await waits(it, 14);
    expect(seconds.slice(0, 4)).toEqual([1, 2, 4, 8]);
    expect(seconds.at(-1)).toBe(QUARTER_HOUR_SECONDS);
    expect(Math.max(...seconds)).toBe(QUARTER_HOUR_SECONDS);
  });

  // proves: 6.3.1
  test('admits one attempt when it is over, even of 50 concurrent ones', async () => {
    await using it = await setUp();
    await waits(it, 4);
    const results = await atOnce(50, () => it.throttle.begin({ bucket: 'ada', address: null }));
    const [first, ...others] = results.filter(({ status }) => status === 'fulfilled');
    expect(others).toEqual([]);
    if (first?.status !== 'fulfilled') throw new Error('none was admitted');
    await it.db.write((tx) => first.value.fail(tx));
    first.value.end();
    expect(await failOnce(it, 'ada')).toBe(16);
    it.tick(16);
    expect(await judged(it, 3, () => ['ada'])).toBe(1);
  });

  test('is not prolonged by attempts during the wait', async () => {
    await using it = await setUp();
    await waits(it, 3);
    await failOnce(it, 'ada');
    for (let i = 0; i < 100; i++) expect(await failOnce(it, 'ada')).toBe(8);
  });

  test('ends when the clock is set back', async () => {
    await using it = await setUp();
    await waits(it, 6);
    await failOnce(it, 'ada');
    it.tick(-2 * HOUR_SECONDS);
    expect(await failOnce(it, 'ada')).toBe(0);
    expect(await failOnce(it, 'ada')).toBe(128);
  });

  // proves: limits.failed-sign-ins-password-or-code-per-account
  test('is cleared by a success', async () => {
    await using it = await setUp();
    await waits(it, 6);
    await succeed(it.throttle, 'ada');
    expect(await judged(it, 5, () => ['ada'])).toBe(5);
    expect(await failOnce(it, 'ada')).toBe(1);
  });

  // proves: limits.failed-sign-ins-password-or-code-per-account
  test('expires after a day', async () => {
    await using it = await setUp();
    await waits(it, 6);
    it.tick(25 * HOUR_SECONDS);
    expect((await waits(it, 1))[0]).toBe(1);
  });

  test('of an address is neither ended nor prolonged by successes', async () => {
    await using it = await setUp();
    const address = '203.0.113.7';
    await judged(it, 50, (i) => [`user${i}`, address]);
    it.tick(1);
    for (let i = 0; i < 3; i++) await succeed(it.throttle, `ada${i}`, address);
    expect(await failOnce(it, 'bob', address)).toBe(0);
    expect(await failOnce(it, 'carol', address)).toBe(2);
  });
});
