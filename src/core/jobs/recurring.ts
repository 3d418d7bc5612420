import { timeBudget } from '../../utils/time/time-budget.ts';
import type { Db } from '../db/db.ts';
import type { Tx } from '../db/writer.ts';
import type { Log } from '../log.ts';

/**
 * Housekeeping: a recurring job that looks for what is due, in short runs. Its schedule is in memory,
 * because a run that is missed or repeated changes nothing. Work that must not be missed is queued.
 */
export interface Job {
  /** Identifies the job in the log. */
  name: string;
  everyMs: number;
  /** Does one batch: one transaction of about MAX_RUN_MS at most. Returns true when more is left. */
  run(): Promise<boolean>;
  /** Registers a function to call when there is work that should not wait for `everyMs`. */
  onDue?(wake: () => void): void;
}

/** The longest time for which one run may hold the writer and the event loop. */
export const MAX_RUN_MS = 10;

/**
 * Repeats `step` in one transaction until it returns false or MAX_RUN_MS have passed. Returns true
 * when more may be left.
 */
export function runSteps(
  db: Pick<Db, 'write'>,
  step: (tx: Tx) => Promise<boolean>,
): Promise<boolean> {
  return db.write(async (tx) => {
    const hasTime = timeBudget(MAX_RUN_MS);
    do if (!(await step(tx))) return false;
    while (hasTime());
    return true;
  });
}

export interface Recurring {
  /** Starts every job once the server has had a moment to respond, then each at its interval. */
  start(): void;
  /** Runs every job until nothing is left. For tests and commands. */
  runAll(): Promise<void>;
  /** The names of the jobs whose last run failed. */
  failing(): string[];
  /** Starts no further run and waits for the current one. */
  stop(): Promise<void>;
}

export interface RecurringDeps {
  log: Log;
  jobs: readonly Job[];
}

/** Requests that wait for the server to start go first. */
const START_DELAY_MS = 1_000;

const MAX_REST_MS = 100;

/** Schedules housekeeping. */
export function createRecurring({ log, jobs }: RecurringDeps): Recurring {
  const timers = new Map<Job, ReturnType<typeof setTimeout>>();
  const runner = createRunner(log);
  const schedule = (job: Job, delayMs: number) => {
    const timer = setTimeout(() => {
      void runner.run(job).then(() => runner.isStopped() || schedule(job, job.everyMs));
    }, delayMs);
    timer.unref();
    timers.set(job, timer);
  };
  return {
    start: () => {
      for (const job of jobs) {
        schedule(job, START_DELAY_MS);
        job.onDue?.(() => void runner.run(job));
      }
    },
    runAll: async () => {
      for (const job of jobs) while (!runner.isStopped() && (await job.run()));
    },
    failing: runner.failing,
    stop: async () => {
      for (const timer of timers.values()) clearTimeout(timer);
      await runner.stop();
    },
  };
}

/**
 * Runs jobs until nothing is left of them. Their runs alternate, and after each there is a rest of
 * the same length, so that jobs take at most half of the server's time.
 */
function createRunner(log: Log) {
  const active = new Map<Job, Promise<void>>();
  const dueAgain = new Set<Job>();
  const failing = new Set<string>();
  let isStopped = false;
  let lastRun: Promise<void> = Promise.resolve();

  /** Starts one run at a time: two would only wait for the same writer. */
  const runOnce = (job: Job): Promise<boolean> => {
    let startMs = 0;
    const run = lastRun.then(() => {
      startMs = performance.now();
      return !isStopped && job.run();
    });
    const rest = async (isMoreLeft: boolean) => {
      if (isMoreLeft) await Bun.sleep(Math.min(performance.now() - startMs, MAX_REST_MS));
    };
    lastRun = run.then(rest).catch(() => {});
    return run;
  };
  const runToEnd = async (job: Job) => {
    do {
      dueAgain.delete(job);
      while (await runOnce(job));
    } while (dueAgain.has(job));
    failing.delete(job.name);
  };
  return {
    /** Resolves when nothing is left or the job failed. A job that is active runs once more. */
    run: (job: Job): Promise<void> => {
      const running = active.get(job);
      if (running) {
        dueAgain.add(job);
        return running;
      }
      const run = runToEnd(job)
        .catch((error) => {
          failing.add(job.name);
          log.error('A job failed. It will run again at its interval.', { job: job.name, error });
        })
        .finally(() => active.delete(job));
      active.set(job, run);
      return run;
    },
    failing: () => [...failing],
    isStopped: () => isStopped,
    stop: async () => {
      isStopped = true;
      await Promise.all(active.values());
    },
  };
}
