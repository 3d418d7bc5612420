import { expect, test } from 'bun:test';
import {
  createKeyedLimiter,
  type KeyedLimiter,
  QueueFullError,
} from '../../src/utils/async/keyed-limiter.ts';

const limiterFor = (maxTotal: number, maxPerKey: number, maxQueued = 10) =>
  createKeyedLimiter({ maxTotal, maxPerKey, maxQueued });

/** Acquires the keys in order and records the order in which they get their places. */
function line(limiter: KeyedLimiter, keys: string[]) {
  const given: string[] = [];
  const releases: (() => void)[] = [];
  for (const key of keys) {
    void limiter.acquire(key).then((release) => {
      given.push(key);
      releases.push(release);
    });
  }
  const release = async (index: number) => {
    releases[index]?.();
    await Bun.sleep(0);
  };
  return { given, release };
}

test('places are taken up to the total limit, then first come, first served', async () => {
  const { given, release } = line(limiterFor(2, 2), ['a', 'b', 'c', 'd']);
  await Bun.sleep(0);
  expect(given).toEqual(['a', 'b']);
  await release(0);
  expect(given).toEqual(['a', 'b', 'c']);
  await release(1);
  expect(given).toEqual(['a', 'b', 'c', 'd']);
});

test('a key at its limit delays no other key', async () => {
  const limiter = limiterFor(3, 1);
  const { given, release } = line(limiter, ['a', 'a', 'b']);
  await Bun.sleep(0);
  expect(given).toEqual(['a', 'b']);
  await release(0);
  expect(given).toEqual(['a', 'b', 'a']);
});

test('a waiter whose key is at its limit is overtaken', async () => {
  const { given, release } = line(limiterFor(2, 1), ['a', 'b', 'a', 'c']);
  await Bun.sleep(0);
  await release(1);
  expect(given).toEqual(['a', 'b', 'c']);
});

test('a caller beyond the queue is refused', async () => {
  const limiter = limiterFor(1, 1, 1);
  line(limiter, ['a', 'a']);
  expect(limiter.queued).toBe(1);
  await expect(limiter.acquire('b')).rejects.toThrow(QueueFullError);
});

// proves: 1.4.3
test('a place that is released twice counts once', async () => {
  const limiter = limiterFor(2, 2);
  const release = await limiter.acquire('a');
  await limiter.acquire('a');
  release();
  release();
  expect(limiter.active).toBe(1);
});

test('an aborted caller leaves the queue with its reason', async () => {
  const limiter = limiterFor(1, 1);
  const release = await limiter.acquire('a');
  const controller = new AbortController();
  const waiting = limiter.acquire('a', { signal: controller.signal });
  controller.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  expect([limiter.active, limiter.queued]).toEqual([1, 0]);
  release();
  expect(limiter.active).toBe(0);
});

test('a caller that is already aborted takes no place', async () => {
  const limiter = limiterFor(1, 1);
  const signal = AbortSignal.abort(new Error('gone'));
  await expect(limiter.acquire('a', { signal })).rejects.toThrow('gone');
  expect(limiter.active).toBe(0);
});

/** Claims places for an owner, each with a different key, and records the results. */
function claim(limiter: KeyedLimiter, owner: string, count: number) {
  const held: (() => void)[] = [];
  const refused: unknown[] = [];
  for (let index = 0; index < count; index++) {
    limiter.acquire(`${owner} ${index}`, { owner }).then(
      (release) => held.push(release),
      (error: unknown) => refused.push(error),
    );
  }
  return { held, refused };
}

test('one owner gets half of the places at most', async () => {
  const limiter = limiterFor(64, 64, 1_000);
  const { held } = claim(limiter, 'a', 500);
  await Bun.sleep(0);
  expect([held.length, limiter.queued]).toEqual([32, 468]);
});

// proves: 15.2.2
test('a new owner gets a place at once while others compete for all of them', async () => {
  const limiter = limiterFor(64, 64, 10_000);
  const busy = ['a', 'b', 'c', 'd'].map((owner) => claim(limiter, owner, 100));
  const { held } = claim(limiter, 'new', 1);
  await Bun.sleep(0);
  expect(busy.map((it) => it.held.length)).toEqual([32, 16, 8, 4]);
  expect(held).toHaveLength(1);
});

test('the waiter whose owner holds the fewest places is served first', async () => {
  const limiter = limiterFor(4, 4);
  const a = claim(limiter, 'a', 2);
  const c = claim(limiter, 'c', 1);
  await limiter.acquire('anybody');
  await Bun.sleep(0);
  const order: string[] = [];
  for (const owner of ['a', 'b']) {
    void limiter.acquire(`more of ${owner}`, { owner }).then(() => order.push(owner));
  }
  a.held[0]?.();
  await Bun.sleep(0);
  expect(order).toEqual(['b']);
  c.held[0]?.();
  a.held[1]?.();
  await Bun.sleep(0);
  expect(order).toEqual(['b', 'a']);
});

test('one owner cannot fill the queue', async () => {
  const limiter = limiterFor(1, 1, 100);
  const { refused } = claim(limiter, 'a', 500);
  await Bun.sleep(0);
  expect(refused.every((error) => error instanceof QueueFullError)).toBe(true);
  expect([limiter.queued, refused.length]).toEqual([50, 449]);
  const other = claim(limiter, 'b', 1);
  await Bun.sleep(0);
  expect(other.refused).toEqual([]);
});

test('one owner gets its share of a key, and the next owner finds room', async () => {
  const limits = { maxTotal: 64, maxPerKey: 32, maxQueued: 1_000, ownerShareOfKey: 3 };
  const limiter = createKeyedLimiter({ ...limits, ownerShare: 100 });
  let held = 0;
  const take = (owner: string) => {
    void limiter.acquire('host', { owner }).then(() => {
      held += 1;
    });
  };
  for (let count = 0; count < 100; count++) take('a');
  await Bun.sleep(0);
  expect(held).toBe(24);
  take('b');
  await Bun.sleep(0);
  expect(held).toBe(25);
});

test.each([1, 2, 3])('a single owner gets all %d places of a small key', async (all) => {
  const limits = { maxTotal: 64, maxPerKey: all, maxQueued: 10, ownerShareOfKey: 3 };
  const limiter = createKeyedLimiter(limits);
  for (let count = 0; count < 5; count++) void limiter.acquire('host', { owner: 'a' });
  await Bun.sleep(0);
  expect(limiter.active).toBe(all);
});

test('the places of an owner rotate among its keys', async () => {
  const limiter = limiterFor(1, 1);
  const release = await limiter.acquire('held');
  const order: string[] = [];
  for (const key of ['a', 'a', 'b', 'b']) {
    void limiter.acquire(key, { owner: 'one' }).then((next) => {
      order.push(key);
      next();
    });
  }
  release();
  await Bun.sleep(1);
  expect(order).toEqual(['a', 'b', 'a', 'b']);
});
