import type { Log } from '../../core/log.ts';

/** Deferred work starts at a random moment within this time. */
const SPREAD_MS = 500;

/** Work that runs only after the response, so that response times reveal nothing. */
export interface Deferred {
  /**
   * Runs `work` at a random moment shortly after: right after the response, it would slow down the
   * next request, which reveals as much. A crash loses work that has not run.
   */
  run(work: () => Promise<void>): void;
  /** Runs all waiting work at once, and resolves when nothing is left. */
  idle(): Promise<void>;
}

export function createDeferred({ log }: { log: Log }): Deferred {
  const waiting = new Map<() => void, ReturnType<typeof setTimeout>>();
  const running = new Set<Promise<void>>();
  return {
    run: (work) => {
      const begin = () => {
        clearTimeout(waiting.get(begin));
        waiting.delete(begin);
        const done = work()
          .catch((error) => log.error('Deferred work failed.', { error }))
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
