import type { Log } from '../core/log.ts';

/** Work that comes round again. It does a small piece a time and says whether more is left. */
export interface Chore {
  /** For the log. */
  name: string;
  everyMs: number;
  /** One short transaction at most; true when more is left to do. */
  run(): Promise<boolean>;
}

export interface Housekeeping {
  /** Does every chore once the server has had a moment to answer, and from then on in its time. */
  start(): void;
  /** Does every chore until nothing is left. For tests and commands. */
  runAll(): Promise<void>;
  /** Begins nothing more and waits for what is under way. */
  stop(): Promise<void>;
}

export interface HousekeepingDeps {
  log: Log;
  chores: readonly Chore[];
}

/** Who waits for the server to start goes first. */
const START_DELAY_MS = 1_000;

/** Runs chores beside the requests, a piece at a time, so that no writer waits long for one. */
export function createHousekeeping({ log, chores }: HousekeepingDeps): Housekeeping {
  const timers = new Map<Chore, ReturnType<typeof setTimeout>>();
  let isStopped = false;
  let running = Promise.resolve();

  const runToEnd = async (chore: Chore) => {
    while (!isStopped && (await chore.run()));
  };
  /** One after another: two would only wait for the same writer. */
  const inTurn = (chore: Chore) => {
    running = running
      .then(() => runToEnd(chore))
      .catch((error) => {
        log.error('A chore failed; it is tried again in its time.', { chore: chore.name, error });
      });
    return running;
  };
  const schedule = (chore: Chore, delayMs: number) => {
    const timer = setTimeout(() => {
      void inTurn(chore).then(() => !isStopped && schedule(chore, chore.everyMs));
    }, delayMs);
    timer.unref();
    timers.set(chore, timer);
  };
  return {
    start: () => {
      for (const chore of chores) schedule(chore, START_DELAY_MS);
    },
    runAll: async () => {
      for (const chore of chores) await runToEnd(chore);
    },
    stop: async () => {
      isStopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
      await running;
    },
  };
}
