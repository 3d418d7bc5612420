import type { JobDefinition } from '../../core/jobs/definition.ts';
import type { HookContext } from './hooks.ts';

/** The context of a run. The actor is the system, which may do everything. */
export interface JobContext extends HookContext {
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborted when the time is up or the server stops. */
  readonly signal: AbortSignal;
}

/**
 * A job of a resource, named `<resource>.<job>`: work outside of the request that `jobs.enqueue`
 * queues, or that runs at the times of `cron`. It runs at least once.
 */
export interface ResourceJob extends Omit<JobDefinition, 'name' | 'run'> {
  run(payload: unknown, context: JobContext): Promise<void>;
}
