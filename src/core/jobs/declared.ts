import type { Attempt, Enqueue, JobDefinition } from './definition.ts';
import type { JobQueue } from './queue.ts';

/** A job of a resource. Its run also gets the services of the resource, for the system itself. */
export interface DeclaredJob<Services, P = unknown> extends Omit<JobDefinition<P>, 'name' | 'run'> {
  run(payload: P, context: Attempt & { services: Services }): Promise<void>;
}

/** Defines the jobs of a resource as `<resource>.<name>` and returns the functions that queue them. */
export function defineJobsOf<Services, Name extends string>(
  queue: Pick<JobQueue, 'define'>,
  resource: string,
  jobs: { readonly [N in Name]: DeclaredJob<Services> },
  services: Services,
): { [N in Name]: Enqueue<unknown> } {
  const entries = Object.entries<DeclaredJob<Services>>(jobs).map(([name, { run, ...options }]) => {
    const enqueue = queue.define({
      ...options,
      name: `${resource}.${name}`,
      run: (payload, attempt) => run(payload, { ...attempt, services }),
    });
    return [name, enqueue];
  });
  return Object.fromEntries(entries) as { [N in Name]: Enqueue<unknown> };
}
