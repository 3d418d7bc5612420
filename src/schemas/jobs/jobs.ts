import { t } from 'elysia';
import { Page } from '../common.ts';
import { Choice, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';
import { Cursor, PageLimit } from '../list-query.ts';

const State = Choice('JobState', ['waiting', 'running', 'dead'], {
  description: 'dead: the job failed too often, or for good. A finished job is deleted.',
});

const fields = {
  id: Integer(),
  name: t.String({ examples: ['mail'] }),
  key: t.Union([t.String(), t.Null()], {
    description: 'Only one job of this name with this key waits at a time.',
  }),
  state: State,
  attempts: Integer({ description: 'The attempts that have started.' }),
  /** When it is due, when its lease ends if it runs, or when it was given up. */
  due_at: Timestamp(),
  last_error: t.Union([t.String(), t.Null()]),
  created_at: Timestamp(),
};

const Job = t.Object(fields, { title: 'Job' });

export const JobDetails = t.Object(
  { ...fields, payload: t.Any({ description: 'null if it is secret.' }) },
  { title: 'JobDetails' },
);

export const Jobs = t.Object({ data: t.Array(Job), page: Page }, { title: 'Jobs' });

export const JobsQuery = t.Object({
  name: t.Optional(
    Text({ minLength: 1, maxLength: 100, description: 'The name of the job.', examples: ['mail'] }),
  ),
  state: t.Optional(State),
  limit: PageLimit,
  cursor: Cursor,
});

export const JobId = t.Object({
  job_id: IntegerText({ minimum: 1, description: 'The id of the job.' }),
});
