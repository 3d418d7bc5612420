import { expect, test } from 'bun:test';
import { testApp } from '../support.ts';

test('live and ready answer without a version prefix', async () => {
  await using t = await testApp();
  expect((await t.client.health.live.get()).data).toEqual({ status: 'ok' });
  expect((await t.client.health.ready.get()).data).toEqual({ status: 'ok' });
});

test('unready but live if the database fails', async () => {
  await using t = await testApp();
  t.deps.db.client.run('drop table hutch_migrations');
  const { status, error } = await t.client.health.ready.get();
  expect(status).toBe(503);
  expect(error?.value).toEqual({ status: 'unready', code: 'storage_failed' });
  expect((await t.client.health.live.get()).status).toBe(200);
});
