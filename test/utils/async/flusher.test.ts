import { describe, expect, test } from 'bun:test';
import { createFlusher } from '../../../src/utils/async/flusher.ts';

/** A flusher of a list, whose writes the test ends. */
function pendingList() {
  const pending: number[] = [];
  const stored: number[][] = [];
  const errors: unknown[] = [];
  let gates: PromiseWithResolvers<void>[] = [];
  const flusher = createFlusher({
    write: async () => {
      const taken = pending.splice(0);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      try {
        await gate.promise;
        stored.push(taken);
      } catch (error) {
        pending.unshift(...taken);
        throw error;
      }
    },
    maxDelayMs: 1,
    onError: (error) => errors.push(error),
  });
  /** Ends the current write, once there is one. */
  const end = async (error?: Error) => {
    while (gates.length === 0) await Bun.sleep(1);
    const [gate] = gates;
    gates = gates.slice(1);
    if (error) gate?.reject(error);
    else gate?.resolve();
  };
  return { ...flusher, pending, stored, errors, end };
}

describe('a flush', () => {
  test('during another one waits for it and stores what came since', async () => {
    const list = pendingList();
    list.pending.push(1);
    const first = list.flush();
    await Bun.sleep(1);
    list.pending.push(2);
    const later = [list.flush(), list.flush()];
    list.pending.push(3);
    await list.end();
    await first;
    await list.end();
    await Promise.all(later);
    expect(list.stored).toEqual([[1], [2, 3]]);
  });

  test('that fails rejects for its own callers, and the data is stored later', async () => {
    const list = pendingList();
    list.pending.push(1);
    const failed = list.flush();
    await Bun.sleep(1);
    const next = list.flush();
    const settled = Promise.allSettled([failed, next]);
    await list.end(new Error('full'));
    await list.end();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(list.stored).toEqual([[1]]);
  });
});

test('a delayed flush that fails is reported and retried', async () => {
  const list = pendingList();
  list.pending.push(1);
  list.flushLater();
  await list.end(new Error('full'));
  await list.end();
  while (list.stored.length === 0) await Bun.sleep(1);
  expect(list.errors).toEqual([new Error('full')]);
  expect(list.stored).toEqual([[1]]);
});
