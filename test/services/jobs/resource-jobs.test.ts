import { expect, test } from 'bun:test';
import { SYSTEM } from '../../../src/core/actor.ts';
import type { ResourceJob } from '../../../src/resources/declare/jobs.ts';
import { defineResourceJobs } from '../../../src/services/jobs/resource-jobs.ts';
import { jobsOf, rows } from '../../core/jobs/support.ts';
import { testApp } from '../../support.ts';

test('the jobs of a resource have its name, and act for the system', async () => {
  await using t = await testApp();
  const { queue, jobs, enqueue, now } = jobsOf(t);
  const seen: unknown[] = [];
  const digest: ResourceJob = {
    run: async (payload, { actor, attempt, signal }) =>
      void seen.push([payload, actor, attempt, signal.aborted]),
  };
  const context = {
    actor: SYSTEM,
    now: now(),
    resources: {},
    jobs: { enqueue: async () => {} },
    settled: async () => {},
  };
  defineResourceJobs(queue, { name: 'notes', jobs: { digest } }, () => context);
  defineResourceJobs(queue, { name: 'plain' }, () => context);
  await enqueue('notes.digest', 'a');
  await jobs.runDue();
  expect(seen).toEqual([['a', SYSTEM, 1, false]]);
});

test('a call that a job did not await fails the job', async () => {
  await using t = await testApp();
  const { queue, jobs, enqueue, now } = jobsOf(t);
  const context = {
    actor: SYSTEM,
    now: now(),
    resources: {},
    jobs: { enqueue: async () => {} },
    settled: () => Promise.reject(new Error('forbidden')),
  };
  defineResourceJobs(
    queue,
    { name: 'notes', jobs: { digest: { run: async () => {} } } },
    () => context,
  );
  await enqueue('notes.digest');
  await jobs.runDue();
  expect(rows(t)).toMatchObject([{ state: 'waiting', last_error: 'forbidden' }]);
});
