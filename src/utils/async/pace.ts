import { timeBudget } from '../time/time-budget.ts';
import { turns } from './turns.ts';

/** Time that is spent between two turns of the event loop. */
const TURN_MS = 5;

/** Returns a function that lets the event loop go round if its last turn was 5 ms ago or more. */
export function createPace(): () => Promise<void> {
  let hasTime = timeBudget(TURN_MS);
  return async () => {
    if (hasTime()) return;
    await turns(1);
    hasTime = timeBudget(TURN_MS);
  };
}

/** Cuts a stream into pieces of at most `maxBytes`, and keeps the pace between them. */
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
