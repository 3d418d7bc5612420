import { timeBudget } from '../time/time-budget.ts';

/** Work between two turns of the event loop takes at most about this long. */
const SLICE_MS = 5;

/** Resolves in the next turn of the event loop, after the callbacks that are already due. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Waits for `count` turns of the event loop, or until `maxMs` have passed: a turn of a busy process is long. */
export async function turns(count: number, maxMs = Number.POSITIVE_INFINITY): Promise<void> {
  const hasTime = timeBudget(maxMs);
  for (let turn = 0; turn < count; turn++) {
    await nextTurn();
    if (!hasTime()) return;
  }
}

/** Returns a function to call between steps of long work. It yields to the event loop every 5 ms. */
export function createPace(): () => Promise<void> {
  let hasTime = timeBudget(SLICE_MS);
  return async () => {
    if (hasTime()) return;
    await nextTurn();
    hasTime = timeBudget(SLICE_MS);
  };
}

/** Splits a stream into pieces of at most `maxBytes` and yields to the event loop between them. */
export async function* inPieces(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  const pace = createPace();
  for await (const chunk of source) {
    for (let start = 0; start < chunk.byteLength; start += maxBytes) {
      yield chunk.subarray(start, start + maxBytes);
      await pace();
    }
  }
}
