import { expect, test } from 'bun:test';
import { KeyedLimiter, QueueFullError } from '../../src/utils/keyed-limiter.ts';

const limiterFor = (maxTotal: number, maxPerKey: number, maxQueued = 10) =>
  new KeyedLimiter({ maxTotal, maxPerKey, maxQueued });

/** Acquires each key in turn and notes in which order the places are given. */
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

test('places are given up to the limit in all, then first come, first served', async () => {
  const { given, release } = line(limiterFor(2, 2), ['a', 'b', 'c', 'd']);
  await Bun.sleep(0);
  expect(given).toEqual(['a', 'b']);
  await release(0);
  expect(given).toEqual(['a', 'b', 'c']);
  await release(1);
  expect(given).toEqual(['a', 'b', 'c', 'd']);
});

test('a key at its limit holds up nobody else', async () => {
  const limiter = limiterFor(3, 1);
  const { given, release } = line(limiter, ['a', 'a', 'b']);
  await Bun.sleep(0);
  expect(given).toEqual(['a', 'b']);
  await release(0);
  expect(given).toEqual(['a', 'b', 'a']);
});

test('a waiter whose key is at its limit is passed by the next one', async () => {
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

test('a place that is given back twice counts once', async () => {
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
  const waiting = limiter.acquire('a', controller.signal);
  controller.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  expect([limiter.active, limiter.queued]).toEqual([1, 0]);
  release();
  expect(limiter.active).toBe(0);
});

test('a caller who is aborted before it asks takes no place', async () => {
  const limiter = limiterFor(1, 1);
  await expect(limiter.acquire('a', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  expect(limiter.active).toBe(0);
});
