import { describe, expect, test } from 'bun:test';
import { type TestApp, testApp } from '../../../support.ts';

/** An application with a job that fails unless `isUp`, and a signed-in admin. */
async function withJobs() {
  const t = await testApp();
  const state = { isUp: false, runs: 0 };
  t.deps.queue.define({
    name: 'notes.sync',
    maxAttempts: 1,
    run: async () => {
      state.runs++;
      if (!state.isUp) throw new Error('503 later');
    },
  });
  t.deps.queue.define({
    name: 'notes.mail',
    maxAttempts: 1,
    isSecret: true,
    remainder: () => ({ to: 'ada' }),
    run: () => Promise.reject(new Error('no')),
  });
  const { client } = await t.signUp('root', 'admin');
  const enqueue = (name: string, payload: unknown = null, key?: string) =>
    t.deps.db.write((tx) => t.deps.queue.enqueue(tx, name, payload, { key }));
  const dispose = t[Symbol.asyncDispose];
  return { t, state, jobs: client.api.v2.jobs, enqueue, [Symbol.asyncDispose]: dispose };
}

const stateOf = ({ deps }: TestApp, id: number) =>
  (deps.db.client.query('select state from jobs where id = ?').get(id) as { state: string }).state;

describe('the list of jobs', () => {
  test('is filtered by name and state, and paged from the newest', async () => {
    await using it = await withJobs();
    for (let n = 0; n < 3; n++) await it.enqueue('notes.sync', n);
    await it.enqueue('notes.mail');
    await it.t.deps.jobs.runDue();
    for (let n = 0; n < 3; n++) await it.enqueue('notes.sync', n);
    const ids = async (query: object) =>
      (await it.jobs.get({ query })).data?.data.map(({ id }) => id);
    expect(await ids({})).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(await ids({ state: 'dead' })).toEqual([4, 3, 2, 1]);
    expect(await ids({ state: 'dead', name: 'notes.sync' })).toEqual([3, 2, 1]);
    expect(await ids({ name: 'notes.sync', state: 'waiting' })).toEqual([7, 6, 5]);
    const { data: first } = await it.jobs.get({ query: { state: 'dead', limit: 3 } });
    const cursor = first?.page.next_cursor ?? '';
    expect(first?.data.map(({ id }) => id)).toEqual([4, 3, 2]);
    expect(await ids({ state: 'dead', limit: 3, cursor })).toEqual([1]);
    const foreign = await it.jobs.get({ query: { cursor } });
    expect(foreign.error?.value).toMatchObject({ code: 'invalid_cursor' });
  });

  test('shows no payload', async () => {
    await using it = await withJobs();
    await it.enqueue('notes.sync', { secret: 'x' });
    const { data } = await it.jobs.get({ query: {} });
    expect(data?.data).toEqual([
      {
        id: 1,
        name: 'notes.sync',
        key: null,
        state: 'waiting',
        attempts: 0,
        due_at: expect.any(String),
        last_error: null,
        created_at: expect.any(String),
      },
    ]);
  });
});

describe('a job', () => {
  test('is shown with its payload, unless that is secret', async () => {
    await using it = await withJobs();
    await it.enqueue('notes.sync', { a: 1 });
    await it.enqueue('notes.mail', { a: 1 });
    expect((await it.jobs({ job_id: 1 }).get()).data).toMatchObject({ payload: { a: 1 } });
    expect((await it.jobs({ job_id: 2 }).get()).data).toMatchObject({ payload: null });
    await it.t.deps.jobs.runDue();
    const { data } = await it.jobs({ job_id: 2 }).get();
    expect(data).toMatchObject({ state: 'dead', payload: { to: 'ada' }, last_error: 'no' });
    expect((await it.jobs({ job_id: 9 }).get()).status).toBe(404);
  });

  test('that was given up is retried and recorded in the audit log', async () => {
    await using it = await withJobs();
    await it.enqueue('notes.sync');
    await it.t.deps.jobs.runDue();
    it.state.isUp = true;
    const { data } = await it.jobs({ job_id: 1 }).retry.post();
    expect(data).toMatchObject({ id: 1, state: 'waiting', attempts: 0, last_error: '503 later' });
    await it.t.deps.jobs.runDue();
    expect(it.state.runs).toBe(2);
    expect((await it.jobs({ job_id: 1 }).get()).status).toBe(404);
    const log = it.t.deps.db.client.query(
      `select details from audit_log where action = 'job.retried'`,
    );
    expect(log.values()).toEqual([['{"job":"notes.sync","id":1}']]);
  });

  test('is not retried while it waits, without its payload, or beside one with its key', async () => {
    await using it = await withJobs();
    await it.enqueue('notes.mail');
    await it.enqueue('notes.sync', null, 'a');
    await it.t.deps.jobs.runDue();
    await it.enqueue('notes.sync', null, 'a');
    const details: unknown[] = [];
    for (const job_id of [1, 2, 3]) {
      const { error } = await it.jobs({ job_id }).retry.post();
      details.push((error?.value as { detail?: string } | undefined)?.detail);
    }
    expect(details).toEqual([
      'Job 1 has lost its payload',
      'Job 2 is replaced by a waiting job with the same key',
      'Job 3 is waiting, not dead',
    ]);
  });

  test('is deleted unless it runs', async () => {
    await using it = await withJobs();
    await it.enqueue('notes.sync');
    await it.enqueue('notes.sync');
    it.t.deps.db.client.run(`update jobs set state = 'running', holder = 'x' where id = 2`);
    expect((await it.jobs({ job_id: 1 }).delete()).status).toBe(204);
    const refused = await it.jobs({ job_id: 2 }).delete();
    expect([refused.status, stateOf(it.t, 2)]).toEqual([409, 'running']);
    expect((await it.jobs({ job_id: 1 }).delete()).status).toBe(404);
  });
});

test('the stats count jobs', async () => {
  await using it = await withJobs();
  await it.enqueue('notes.sync');
  await it.t.deps.jobs.runDue();
  await it.enqueue('notes.sync');
  const { client } = await it.t.signUp('ruth', 'admin');
  const { data } = await client.api.v2.system.stats.get();
  expect(data?.jobs).toEqual({ waiting: 1, running: 0, dead: 1, failing: [] });
});
