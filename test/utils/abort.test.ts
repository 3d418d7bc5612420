import { expect, test } from 'bun:test';
import { sleep, withLimit } from '../../src/utils/async/abort.ts';

const late = () => new Error('late');
const never = () => new Promise<never>(() => {});

test('a task that finishes in time settles as usual', async () => {
  expect(await withLimit({ timeoutMs: 50, onTimeout: late }, async () => 1)).toBe(1);
  const failing = withLimit({ timeoutMs: 50, onTimeout: late }, () =>
    Promise.reject(new Error('own')),
  );
  await expect(failing).rejects.toThrow('own');
});

test('a task that ignores its signal ends on time', async () => {
  await expect(withLimit({ timeoutMs: 5, onTimeout: late }, never)).rejects.toThrow('late');
});

test('an aborted task rejects with the reason, whatever it throws', async () => {
  const task = (signal: AbortSignal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('own'))));
  await expect(withLimit({ timeoutMs: 5, onTimeout: late }, task)).rejects.toThrow('late');
});

test('an aborted parent ends the task with its reason or with the given one', async () => {
  const parent = new AbortController();
  const limit = { timeoutMs: 1_000, onTimeout: late, parent: parent.signal };
  const plain = withLimit(limit, never);
  const mapped = withLimit({ ...limit, onAbort: () => new Error('mapped') }, never);
  parent.abort(new Error('parent'));
  const outcomes = await Promise.allSettled([plain, mapped]);
  expect(outcomes.map((outcome) => 'reason' in outcome && outcome.reason.message)).toEqual([
    'parent',
    'mapped',
  ]);
});

test('a task is not started when the parent is already aborted', async () => {
  let started = false;
  const limit = {
    timeoutMs: 1_000,
    onTimeout: late,
    parent: AbortSignal.abort(new Error('no')),
  };
  const call = withLimit(limit, async () => {
    started = true;
  });
  await expect(call).rejects.toThrow('no');
  expect(started).toBe(false);
});

test('sleep resolves on time or rejects with the reason of its signal', async () => {
  await sleep(1);
  const controller = new AbortController();
  const sleeping = sleep(10_000, controller.signal);
  controller.abort(new Error('up'));
  await expect(sleeping).rejects.toThrow('up');
});
