import { and, asc, count, eq, gt, inArray, lt, lte, ne, notExists, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/sqlite-core';
import { type JobRow, type JobState, jobs } from '../../models/jobs.ts';
import { prepare } from '../db/query.ts';

type NewJob = Omit<JobRow, 'id' | 'state' | 'attempts' | 'holder' | 'last_error'>;
type Id = Pick<JobRow, 'id'>;
type Name = Pick<JobRow, 'name'>;

const ph = sql.placeholder;
const set = (name: string) => sql`${ph(name)}`;

/** Inserts a waiting job, unless one with the same name and key waits. */
export const insertJob = prepare<NewJob, unknown>((orm) =>
  orm
    .insert(jobs)
    .values({
      name: ph('name'),
      key: ph('key'),
      state: 'waiting',
      payload: ph('payload'),
      attempts: 0,
      due_at: ph('due_at'),
      created_at: ph('created_at'),
    })
    .onConflictDoNothing(),
);

export const jobById = prepare<Id, JobRow[]>((orm) =>
  orm
    .select()
    .from(jobs)
    .where(eq(jobs.id, ph('id'))),
);

/** The job of a name and state that is due first. */
export const firstDue = prepare<Name & { state: JobState }, Pick<JobRow, 'due_at'>[]>((orm) =>
  orm
    .select({ due_at: jobs.due_at })
    .from(jobs)
    .where(and(eq(jobs.state, ph('state')), eq(jobs.name, ph('name'))))
    .orderBy(asc(jobs.due_at))
    .limit(1),
);

/** The running jobs whose lease has ended. */
export const expired = prepare<Name & { now: string }, JobRow[]>((orm) =>
  orm
    .select()
    .from(jobs)
    .where(and(eq(jobs.state, 'running'), eq(jobs.name, ph('name')), lte(jobs.due_at, ph('now')))),
);

export const running = prepare<Record<string, never>, JobRow[]>((orm) =>
  orm.select().from(jobs).where(eq(jobs.state, 'running')),
);

export const countRunning = prepare<Name, { count: number }[]>((orm) =>
  orm
    .select({ count: count() })
    .from(jobs)
    .where(and(eq(jobs.state, 'running'), eq(jobs.name, ph('name')))),
);

interface Take extends Record<string, unknown> {
  name: string;
  now: string;
  limit: number;
  holder: string;
  lease_until: string;
}

/** Makes the jobs due now that were due before the clock was set back from `until` to `now`. */
export const bringForward = prepare<Name & { now: string; until: string }, unknown>((orm) =>
  orm
    .update(jobs)
    .set({ due_at: set('now') })
    .where(
      and(
        eq(jobs.state, 'waiting'),
        eq(jobs.name, ph('name')),
        gt(jobs.due_at, ph('now')),
        lte(jobs.due_at, ph('until')),
      ),
    ),
);

/** Takes the due jobs of a name, each until `lease_until`; not those whose key is running. */
export const takeDue = prepare<Take, JobRow[]>((orm) => {
  const other = alias(jobs, 'other');
  const sameKey = and(
    eq(other.state, 'running'),
    eq(other.name, jobs.name),
    eq(other.key, jobs.key),
  );
  const due = orm
    .select({ id: jobs.id })
    .from(jobs)
    .where(
      and(
        eq(jobs.state, 'waiting'),
        eq(jobs.name, ph('name')),
        lte(jobs.due_at, ph('now')),
        notExists(orm.select({ id: other.id }).from(other).where(sameKey)),
      ),
    )
    .orderBy(asc(jobs.due_at), asc(jobs.id))
    .limit(ph('limit'));
  return orm
    .update(jobs)
    .set({
      state: 'running',
      attempts: sql`${jobs.attempts} + 1`,
      due_at: set('lease_until'),
      holder: set('holder'),
    })
    .where(inArray(jobs.id, due))
    .returning();
});

type Held = Pick<JobRow, 'id' | 'attempts' | 'holder'>;
const isHeld = and(
  eq(jobs.id, ph('id')),
  eq(jobs.holder, ph('holder')),
  eq(jobs.attempts, ph('attempts')),
);

/** Deletes a job, unless another process has taken it meanwhile. */
export const deleteHeld = prepare<Held, unknown>((orm) => orm.delete(jobs).where(isHeld));

type Waiting = Held & Pick<JobRow, 'due_at' | 'last_error'> & { started: number };

/** Makes a job wait again, unless another process has taken it meanwhile. */
export const waitAgain = prepare<Waiting, unknown>((orm) =>
  orm
    .update(jobs)
    .set({
      state: 'waiting',
      attempts: set('started'),
      due_at: set('due_at'),
      last_error: set('last_error'),
      holder: null,
    })
    .where(isHeld),
);

type Dead = Held & Pick<JobRow, 'due_at' | 'last_error' | 'payload'>;

/** Turns a job into a dead letter, unless another process has taken it meanwhile. */
export const giveUp = prepare<Dead, unknown>((orm) =>
  orm
    .update(jobs)
    .set({
      state: 'dead',
      payload: set('payload'),
      due_at: set('due_at'),
      last_error: set('last_error'),
      holder: null,
    })
    .where(isHeld),
);

export const waitingByKey = prepare<{ name: string; key: string }, Id[]>((orm) =>
  orm
    .select({ id: jobs.id })
    .from(jobs)
    .where(and(sql`${jobs.state} = 'waiting'`, eq(jobs.name, ph('name')), eq(jobs.key, ph('key')))),
);

/** Deletes a job that is not running. */
export const deleteIdle = prepare<Id, JobRow[]>((orm) =>
  orm
    .delete(jobs)
    .where(and(eq(jobs.id, ph('id')), ne(jobs.state, 'running')))
    .returning(),
);

/** Makes a dead letter wait again, as if it had never run. */
export const revive = prepare<Id & Pick<JobRow, 'due_at'>, JobRow[]>((orm) =>
  orm
    .update(jobs)
    .set({ state: 'waiting', attempts: 0, due_at: set('due_at') })
    .where(and(eq(jobs.id, ph('id')), eq(jobs.state, 'dead')))
    .returning(),
);

/** A row if the name has more than `max` jobs, dead letters included. */
export const beyond = prepare<Name & { max: number }, Id[]>((orm) =>
  orm
    .select({ id: jobs.id })
    .from(jobs)
    .where(and(inArray(jobs.state, ['waiting', 'running', 'dead']), eq(jobs.name, ph('name'))))
    .limit(1)
    .offset(ph('max')),
);

/** The first name after `after` that has dead letters. */
export const nextDeadName = prepare<{ after: string }, Name[]>((orm) =>
  orm
    .select({ name: jobs.name })
    .from(jobs)
    .where(and(eq(jobs.state, 'dead'), gt(jobs.name, ph('after'))))
    .orderBy(asc(jobs.name))
    .limit(1),
);

/** Deletes the oldest dead letters of a name that were given up before `until`. */
export const deleteDead = prepare<Name & { until: string; limit: number }, Id[]>((orm) => {
  const oldest = orm
    .select({ id: jobs.id })
    .from(jobs)
    .where(and(eq(jobs.state, 'dead'), eq(jobs.name, ph('name')), lt(jobs.due_at, ph('until'))))
    .orderBy(asc(jobs.due_at))
    .limit(ph('limit'));
  return orm.delete(jobs).where(inArray(jobs.id, oldest)).returning({ id: jobs.id });
});
