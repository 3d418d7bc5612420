import { expect, test } from 'bun:test';
import { SYSTEM } from '../../../src/core/actor.ts';
import { createDeps } from '../../../src/core/deps.ts';
import { text } from '../../../src/resources/declare/columns.ts';
import type { ResourceJob } from '../../../src/resources/declare/jobs.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { defineResourceJobs } from '../../../src/services/jobs/resource-jobs.ts';
import { jobsOf, rows } from '../../core/jobs/support.ts';
import { tempDir, testApp } from '../../support.ts';

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

test('the application runs the jobs that a resource declares', async () => {
  await using t = await testApp();
  const seen: unknown[] = [];
  const notes = resource('notes', {
    columns: { title: text({ max: 20 }) },
    read: 'owner',
    write: 'owner',
    jobs: {
      digest: {
        run: async (payload: number, { actor, jobs, resources }) => {
          seen.push(['digest', payload, actor.role, typeof resources['notes']?.get]);
          await jobs.enqueue('notes.send', payload + 1);
        },
      },
      send: { run: async (payload) => void seen.push(['send', payload]) },
    },
  });
  const config = { ...t.deps.config, dataDir: tempDir() };
  const deps = createDeps(config, { log: t.deps.log, resources: { notes } });
  await deps.db.write((tx) => deps.queue.enqueue(tx, 'notes.digest', 1));
  await deps.jobs.runDue();
  await deps.close();
  expect(seen).toEqual([
    ['digest', 1, 'system', 'function'],
    ['send', 2],
  ]);
});
