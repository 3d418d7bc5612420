import { DAY_MS, HOUR_MS } from '../../utils/time/units.ts';
import { countJobs, type JobCounts } from './counts.ts';
import { createRecurring, type Job } from './recurring.ts';
import { deleteDead, nextDeadName } from './rows.ts';
import { createWorker, type StartOptions, type WorkerDeps } from './worker.ts';

/** The time for which a dead letter is stored. */
const RETENTION_MS = 30 * DAY_MS;
const PURGE_BATCH = 50;

export interface JobsDeps extends WorkerDeps {
  /** The housekeeping of all services. */
  recurring: readonly Job[];
}

export interface JobsStats extends JobCounts {
  /** Housekeeping whose last run failed. */
  failing: string[];
}

export type Jobs = ReturnType<typeof createJobs>;

/** All background work of a server: the queued jobs and housekeeping. */
export function createJobs({ recurring, ...deps }: JobsDeps) {
  const { db, log, queue } = deps;
  const worker = createWorker(deps);
  const housekeeping = createRecurring({ log, jobs: [...recurring, createPurge(deps)] });
  return {
    start: (options: StartOptions): void => {
      worker.start(options);
      housekeeping.start();
    },

    /** Runs all queued jobs that are due. For tests and commands. */
    runDue: worker.runDue,

    /** Runs all housekeeping until nothing is left. For tests and commands. */
    runAll: housekeeping.runAll,

    stats: async (): Promise<JobsStats> => ({
      ...(await countJobs(db.read, [...queue.definitions.keys()])),
      failing: housekeeping.failing(),
    }),

    /** Starts nothing more, and waits for what runs; jobs that take too long are aborted. */
    stop: async (): Promise<void> => {
      await Promise.all([housekeeping.stop(), worker.stop()]);
    },
  };
}

/** Deletes dead letters after 30 days. */
const createPurge = ({ db, now }: Pick<WorkerDeps, 'db' | 'now'>): Job => ({
  name: 'dead letters',
  everyMs: HOUR_MS,
  run: async () => {
    const until = new Date(now().getTime() - RETENTION_MS).toISOString();
    for (let after = ''; ; ) {
      const [next] = await nextDeadName(db.read, { after });
      if (!next) return false;
      const old = { name: next.name, until, limit: PURGE_BATCH };
      const deleted = await db.write((tx) => deleteDead(tx, old));
      if (deleted.length === PURGE_BATCH) return true;
      after = next.name;
    }
  },
});
