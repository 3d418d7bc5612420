import type { Log } from '../core/log.ts';

/** Recurring background work, done in short pieces. */
export interface Chore {
  /** For the log. */
  name: string;
  everyMs: number;
  /** Does one piece: one transaction of about PIECE_MS at most. Returns true when more is left. */
  run(): Promise<boolean>;
  /** Registers a function to call when there is work that should not wait for `everyMs`. */
  onDue?(wake: () => void): void;
}

/** How long a piece of work may hold the writer and the event loop. */
export const PIECE_MS = 10;

export interface Housekeeping {
  /** Starts every chore once the server has had a moment to answer, then each at its interval. */
  start(): void;
  /** Does every chore until nothing is left. For tests and commands. */
  runAll(): Promise<void>;
  /** Starts no further piece and waits for the one under way. */
  stop(): Promise<void>;
}

export interface HousekeepingDeps {
  log: Log;
  chores: readonly Chore[];
}

/** Requests that wait for the server to start go first. */
const START_DELAY_MS = 1_000;

const MAX_REST_MS = 100;

/** Runs chores beside the requests. */
export function createHousekeeping({ log, chores }: HousekeepingDeps): Housekeeping {
  const timers = new Map<Chore, ReturnType<typeof setTimeout>>();
  const runner = createRunner(log);
  const schedule = (chore: Chore, delayMs: number) => {
    const timer = setTimeout(() => {
      void runner.run(chore).then(() => runner.isStopped() || schedule(chore, chore.everyMs));
    }, delayMs);
    timer.unref();
    timers.set(chore, timer);
  };
  return {
    start: () => {
      for (const chore of chores) {
        schedule(chore, START_DELAY_MS);
        chore.onDue?.(() => void runner.run(chore));
      }
    },
    runAll: async () => {
      for (const chore of chores) while (!runner.isStopped() && (await chore.run()));
    },
    stop: async () => {
      for (const timer of timers.values()) clearTimeout(timer);
      await runner.stop();
    },
  };
}

/**
 * Runs chores until nothing is left of them. Their pieces take turns, and after each there is a
 * rest of the same length: chores take half of the server's time at most.
 */
function createRunner(log: Log) {
  const active = new Map<Chore, Promise<void>>();
  const dueAgain = new Set<Chore>();
  let isStopped = false;
  let lastPiece: Promise<void> = Promise.resolve();

  /** One piece at a time: two would only wait for the same writer. */
  const runPiece = (chore: Chore): Promise<boolean> => {
    let startMs = 0;
    const piece = lastPiece.then(() => {
      startMs = performance.now();
      return !isStopped && chore.run();
    });
    const rest = async (isMoreLeft: boolean) => {
      if (isMoreLeft) await Bun.sleep(Math.min(performance.now() - startMs, MAX_REST_MS));
    };
    lastPiece = piece.then(rest).catch(() => {});
    return piece;
  };
  const runToEnd = async (chore: Chore) => {
    do {
      dueAgain.delete(chore);
      while (await runPiece(chore));
    } while (dueAgain.has(chore));
  };
  return {
    /** Resolves when nothing is left, or it failed. A chore that runs looks once more at its end. */
    run: (chore: Chore): Promise<void> => {
      const running = active.get(chore);
      if (running) {
        dueAgain.add(chore);
        return running;
      }
      const run = runToEnd(chore)
        .catch((error) => {
          log.error('A chore failed; it is tried again in its time.', { chore: chore.name, error });
        })
        .finally(() => active.delete(chore));
      active.set(chore, run);
      return run;
    },
    isStopped: () => isStopped,
    stop: async () => {
      isStopped = true;
      await Promise.all(active.values());
    },
  };
}
