import { expect, test } from 'bun:test';
import { version } from '../../../package.json';
import { testApp } from '../../support.ts';

test('the version is public', async () => {
  await using t = await testApp();
  expect((await t.client.api.v2.system.version.get()).data).toEqual({ name: 'hutch', version });
});

test('the stats count what the cache and the database did, for an admin', async () => {
  await using t = await testApp();
  const { client } = await t.signUp('root', 'admin');
  await t.client.api.v1.items.popular.get();
  await t.client.api.v1.items.popular.get();
  const { data } = await client.api.v2.system.stats.get();
  expect(data?.cache).toMatchObject({ hits: 1, misses: 1, stale: 0, in_flight: 0, entries: 1 });
  expect(data?.database).toMatchObject({ writes: 2, queued: 0 });
});

// proves: permissions.statistics
test('forbidden for others, as a problem', async () => {
  await using t = await testApp();
  const { client } = await t.signUp('ada');
  const { status, error } = await client.api.v2.system.stats.get();
  expect(status).toBe(403);
  expect(error?.value).toMatchObject({ code: 'forbidden', title: 'Not enough permissions' });
});
