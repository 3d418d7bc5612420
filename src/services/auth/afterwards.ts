import type { Log } from '../../core/log.ts';

/** Work begins by chance within this time. */
const SPREAD_MS = 500;

/** What is done only after an answer, so that the answer does not tell by its time. */
export interface Afterwards {
  /**
   * Does `work` a little later, at a moment left to chance: done right after the answer it would
   * slow down the next request, which tells as much. What a crash takes with it is lost.
   */
  run(work: () => Promise<void>): void;
  /** Does at once what still waits, and resolves when nothing is left. */
  idle(): Promise<void>;
}

export function createAfterwards({ log }: { log: Log }): Afterwards {
  const waiting = new Map<() => void, ReturnType<typeof setTimeout>>();
  const running = new Set<Promise<void>>();
  return {
    run: (work) => {
      const begin = () => {
        clearTimeout(waiting.get(begin));
        waiting.delete(begin);
        const done = work()
          .catch((error) => log.error('What follows an answer failed.', { error }))
          .finally(() => running.delete(done));
        running.add(done);
      };
      waiting.set(begin, setTimeout(begin, Math.random() * SPREAD_MS));
    },
    idle: async () => {
      while (waiting.size + running.size > 0) {
        for (const begin of waiting.keys()) begin();
        await Promise.all(running);
      }
    },
  };
}
