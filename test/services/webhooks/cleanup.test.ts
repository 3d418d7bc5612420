import { expect, test } from 'bun:test';
import { receiver, webhooksApp } from '../../webhooks.ts';

const ONE_MORE = 100_001;

// proves: costly-work.deliveries-of-webhooks
test('a webhook with over 100,000 pending deliveries is disabled', async () => {
  await using hooks = receiver();
  await using t = await webhooksApp([hooks.host]);
  const { id } = await t.create({ url: hooks.url });
  const fill = (count: number) =>
    t.deps.db.client.run(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
       insert into webhook_deliveries (webhook_id, event_id, event_type, event_at, state, next_attempt_at, created_at)
       select ?, 'evt_' || i, 'items.created', ?, 'pending', '2999-01-01T00:00:00.000Z', ? from n`,
      [count, id, new Date(t.clock.at).toISOString(), new Date(t.clock.at).toISOString()],
    );
  fill(ONE_MORE - 1);
  await t.deps.jobs.runAll();
  expect(await t.get(id)).toMatchObject({ is_active: true });
  fill(1);
  await t.deps.jobs.runAll();
  expect(await t.get(id)).toMatchObject({ is_active: false, disabled_reason: 'backlog' });
  // Deleting it erases them in small pieces.
  expect((await t.api('DELETE', `/${id}`)).status).toBe(204);
  t.clock.at += 120_000;
  await t.deps.jobs.runAll();
  expect(t.deps.db.client.query('select id from webhook_deliveries').all()).toEqual([]);
}, 60_000);
