import type { JobQueue } from '../../core/jobs/queue.ts';
import type { HookContext } from '../../resources/declare/hooks.ts';
import type { ResourceJob } from '../../resources/declare/jobs.ts';

/** A resource, as far as its jobs are concerned. */
export interface JobsOfResource {
  readonly name: string;
  readonly jobs?: Readonly<Record<string, ResourceJob>>;
}

/** The context of a run, for the system itself. */
export interface RunContext extends HookContext {
  /** Resolves when all calls have ended; rejects if one failed that the job did not await. */
  settled(): Promise<void>;
}

/**
 * Defines the jobs of a resource as `<resource>.<job>`. `contextOf` is called for each run. Throws
 * RangeError for an invalid name or cron expression.
 */
export function defineResourceJobs(
  queue: Pick<JobQueue, 'define'>,
  { name: resource, jobs = {} }: JobsOfResource,
  contextOf: () => RunContext,
): void {
  for (const [job, { run, ...options }] of Object.entries(jobs)) {
    queue.define({
      ...options,
      name: `${resource}.${job}`,
      run: async (payload, { attempt, signal }) => {
        const { settled, ...context } = contextOf();
        await run(payload, { ...context, attempt, signal });
        await settled();
      },
    });
  }
}
