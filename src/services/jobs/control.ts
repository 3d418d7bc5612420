import { getTableColumns } from 'drizzle-orm';
import type { AnyActor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { nameOf, raw } from '../../core/db/fragment.ts';
import { uniqueViolation } from '../../core/db/storage-error.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import { isSealed, type JobQueue } from '../../core/jobs/queue.ts';
import { deleteIdle, jobById, revive } from '../../core/jobs/rows.ts';
import type { Cursors } from '../../core/security/cursors.ts';
import { type JobRow, type JobState, jobs } from '../../models/jobs.ts';
import type { Page } from '../../utils/page.ts';
import type { Audit } from '../audit/audit.ts';
import { compare } from '../conditions.ts';
import type { Listing, Section } from '../resources/list/listing.ts';
import { BOUNDS, type Filter, type ListedRow } from '../resources/list/query.ts';
import { readList } from '../resources/list/read-list.ts';

export interface JobControlDeps {
  db: Db;
  queue: Pick<JobQueue, 'definitions' | 'wakeAfter'>;
  cursors: Cursors;
  turns: FairTurns;
  audit: Audit;
  now(): Date;
}

export interface JobListQuery {
  name?: string | undefined;
  state?: JobState | undefined;
  /** Default 50. */
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** A job without its payload and without the process that runs it. */
export type JobInfo = Omit<JobRow, 'payload' | 'holder'>;

/** A job with its payload; null if that is sealed. */
export interface JobDetails extends JobInfo {
  payload: unknown;
}

const DEFAULT_LIMIT = 50;

/** Shows, retries and deletes queued jobs. */
export function createJobControl(deps: JobControlDeps) {
  const { db, queue, audit, now } = deps;
  const recorded = (tx: Tx, actor: AnyActor, action: 'job.retried' | 'job.deleted', job: JobInfo) =>
    audit.record(tx, actor, {
      action,
      user_id: null,
      details: { job: job.name, id: job.id, ...(actor.role === 'system' && { by: 'operator' }) },
    });
  return {
    /** A page of jobs, newest first. Throws overloaded, and invalid_cursor for another filter's cursor. */
    list: async (
      _actor: AnyActor,
      { name, state, limit = DEFAULT_LIMIT, cursor }: JobListQuery,
    ): Promise<{ data: JobInfo[]; page: Page }> => {
      const { data, page } = await readList({ ...deps, bounds: JOB_BOUNDS }, LISTING, {
        ...{ limit, cursor, columns: COLUMNS, share: 'jobs' },
        filters: [...filterOf('name', name), ...filterOf('state', state)],
        sections: [sectionOf(state)],
        scope: [],
      });
      return { data: data.map((row) => infoOf(row as JobRow & ListedRow)), page };
    },

    /** Throws not_found. */
    get: async (_actor: AnyActor, id: number): Promise<JobDetails> =>
      detailsOf(queue, await getJob(db.read, id)),

    /** Makes a dead letter due at once. Throws not_found, and conflict if it cannot be retried. */
    retry: (actor: AnyActor, id: number): Promise<JobDetails> =>
      db.write(async (tx) => {
        const job = await getJob(tx, id);
        if (job.state !== 'dead') throw conflict(id, `is ${job.state}, not dead`);
        if (queue.definitions.get(job.name)?.remainder) throw conflict(id, 'has lost its payload');
        const revived = await reviveOnce(tx, job, now());
        await recorded(tx, actor, 'job.retried', job);
        queue.wakeAfter(tx, job.name);
        return detailsOf(queue, revived);
      }),

    /** Deletes a job that is not running. Throws not_found, and conflict if it runs. */
    remove: (actor: AnyActor, id: number): Promise<void> =>
      db.write(async (tx) => {
        const job = await getJob(tx, id);
        if ((await deleteIdle(tx, { id })).length === 0) throw conflict(id, 'is running');
        await recorded(tx, actor, 'job.deleted', job);
      }),
  };
}

const LISTING: Listing = {
  name: 'jobs',
  table: jobs,
  joins: raw(''),
  columnOf: (field) => jobs[field as 'name' | 'state'],
  isLight: () => true,
  conditionOf: ({ field, op, values }) => compare(nameOf(jobs[field as 'name']), op, values),
};

const COLUMNS = Object.keys(getTableColumns(jobs));

/** A page checks 200,000 jobs. */
const JOB_BOUNDS = { ...BOUNDS, window: 2_000, windows: 100, maxMs: Number.POSITIVE_INFINITY };

/** The jobs that have an index: all of them, or the dead letters. */
function sectionOf(state: JobState | undefined): Section {
  return state === 'dead'
    ? { condition: `"jobs"."state" = 'dead'`, known: { state }, hidden: [] }
    : { condition: '', known: {}, hidden: [] };
}

function filterOf(field: string, value: string | undefined): Filter[] {
  return value === undefined ? [] : [{ field, op: 'eq', path: [], values: [value] }];
}

async function getJob(session: Session, id: number): Promise<JobRow> {
  const [job] = await jobById(session, { id });
  if (!job) throw new AppError('not_found', `Job ${id} not found`);
  return job;
}

/** Throws conflict if a job with the same key waits. */
async function reviveOnce(tx: Tx, { id }: JobRow, time: Date): Promise<JobRow> {
  try {
    const [revived] = await revive(tx, { id, due_at: time.toISOString() });
    return revived as JobRow;
  } catch (error) {
    if (uniqueViolation(error) === undefined) throw error;
    throw conflict(id, 'is replaced by a waiting job with the same key');
  }
}

function conflict(id: number, reason: string): AppError {
  return new AppError('conflict', `Job ${id} ${reason}`);
}

function infoOf({ payload: _, holder: __, ...info }: JobRow): JobInfo {
  return info;
}

function detailsOf({ definitions }: Pick<JobQueue, 'definitions'>, row: JobRow): JobDetails {
  const { name, state, payload } = row;
  // A payload that an earlier version queued may be unsealed.
  const isSecret = isSealed(payload) || (definitions.get(name)?.isSecret && state !== 'dead');
  return { ...infoOf(row), payload: isSecret ? null : JSON.parse(payload) };
}
