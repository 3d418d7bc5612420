import type { Log } from '../../core/log.ts';

/** Work starts at a random moment within this time. */
const SPREAD_MS = 500;

/** Work that runs after the response, so that the response time reveals nothing about it. */
export interface Deferred {
  /**
   * Runs `work` after a short random delay: right after the response, it would slow down the next
   * request and reveal just as much. A crash loses pending work.
   */
  run(work: () => Promise<void>): void;
  /** Starts all pending work at once and resolves when none is left. */
  idle(): Promise<void>;
}

export function createDeferred({ log }: { log: Log }): Deferred {
  const pending = new Map<() => void, ReturnType<typeof setTimeout>>();
  const running = new Set<Promise<void>>();
  return {
    run: (work) => {
      const start = () => {
        clearTimeout(pending.get(start));
        pending.delete(start);
        const done = work()
          .catch((error) => log.error('Deferred work failed.', { error }))
          .finally(() => running.delete(done));
        running.add(done);
      };
      pending.set(start, setTimeout(start, Math.random() * SPREAD_MS));
    },
    idle: async () => {
      while (pending.size + running.size > 0) {
        for (const start of pending.keys()) start();
        await Promise.all(running);
      }
    },
  };
}
