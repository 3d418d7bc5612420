import { and, count, eq, sql } from 'drizzle-orm';
import { type JobState, jobs } from '../../models/jobs.ts';
import type { Session } from '../db/db.ts';
import { prepare } from '../db/query.ts';

/** The number of jobs in each state. At most MAX_COUNTED of each name are counted. */
export interface JobCounts {
  waiting: number;
  running: number;
  dead: number;
}

const MAX_COUNTED = 10_000;

/** Counts the jobs of these names. */
export async function countJobs(session: Session, names: readonly string[]): Promise<JobCounts> {
  const sumOf = async (state: JobState) => {
    let sum = 0;
    for (const name of names) sum += (await countOf(session, { state, name }))[0]?.count ?? 0;
    return sum;
  };
  return {
    waiting: await sumOf('waiting'),
    running: await sumOf('running'),
    dead: await sumOf('dead'),
  };
}

const countOf = prepare<{ state: JobState; name: string }, { count: number }[]>((orm) => {
  const some = orm
    .select({ id: jobs.id })
    .from(jobs)
    .where(and(eq(jobs.state, sql.placeholder('state')), eq(jobs.name, sql.placeholder('name'))))
    .limit(MAX_COUNTED)
    .as('some');
  return orm.select({ count: count() }).from(some);
});
