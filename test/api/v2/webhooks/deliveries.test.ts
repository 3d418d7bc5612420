import { describe, expect, test } from 'bun:test';
import { receiver, webhooksApp } from '../../../webhooks.ts';

describe('the log of deliveries', () => {
  test('has the newest first, in pages, and by state', async () => {
    await using hooks = receiver(
      ({ url }) => new Response(null, { status: url.endsWith('?down') ? 500 : 204 }),
    );
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    for (let index = 0; index < 3; index++) await t.item();
    await t.send();
    await t.patch(id, { url: `${hooks.url}/?down` });
    await t.item();
    await t.send();
    const all = await t.log(id);
    expect(all.map(({ resource_id, state }) => [resource_id, state])).toEqual([
      [4, 'pending'],
      [3, 'succeeded'],
      [2, 'succeeded'],
      [1, 'succeeded'],
    ]);
    expect(all[0]).toMatchObject({
      event_type: 'items.created',
      attempts: 1,
      response_status: 500,
      error: `${hooks.host} answered 500`,
      next_attempt_at: expect.any(String),
    });
    expect(await t.log(id, '?state=pending')).toEqual(all.slice(0, 1));
    const first = await (await t.api('GET', `/${id}/deliveries?limit=3`)).json();
    const { data, page } = first as { data: unknown[]; page: { next_cursor: string } };
    expect(data).toEqual(all.slice(0, 3));
    expect(await t.log(id, `?limit=3&cursor=${page.next_cursor}`)).toEqual(all.slice(3));
    const other = await t.api('GET', `/${id}/deliveries?state=failed&cursor=${page.next_cursor}`);
    expect(other.status).toBe(400);
    expect(await (await t.api('GET', `/${id}/deliveries/4`)).json()).toEqual(all[0]);
  });

  // proves: data.deliveries-of-webhooks
  test('holds no content of the events', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    await t.create({ url: hooks.url });
    await t.item({ title: 'Ode to hay' });
    await t.send();
    const rows = t.deps.db.client.query('select * from webhook_deliveries').all();
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('Ode to hay');
  });

  test('is not that of another webhook', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const one = await t.create({ url: hooks.url });
    const other = await t.create({ url: hooks.url, events: ['users.*'] });
    await t.item();
    const [delivery] = await t.log(one.id);
    expect(await t.log(other.id)).toEqual([]);
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/replay'],
    ] as const) {
      const wrong = await t.api(method, `/${other.id}/deliveries/${delivery?.id}${path}`);
      expect(wrong.status).toBe(404);
    }
  });

  test('ends after 30 days', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.send();
    const day = 86_400_000;
    t.clock.at += 29 * day;
    await t.deps.jobs.runAll();
    const count = () => t.deps.db.client.query('select id from webhook_deliveries').all().length;
    expect(count()).toBe(1);
    t.clock.at += 2 * day;
    await t.deps.jobs.runAll();
    expect([id, count()]).toEqual([1, 0]);
  });
});

describe('a replay', () => {
  test('sends the event again with its id, and is logged as its own delivery', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.send();
    const [first] = await t.log(id);
    const replayed = await t.replay(id, Number(first?.id));
    expect(replayed).toMatchObject({
      event_id: String(first?.event_id),
      replay_of: Number(first?.id),
      state: 'pending',
      attempts: 0,
    });
    await t.send();
    expect(hooks.asked.map(({ headers }) => headers.get('webhook-id'))).toEqual([
      String(first?.event_id),
      String(first?.event_id),
    ]);
    expect(hooks.asked[1]?.body).toBe(String(hooks.asked[0]?.body));
    expect((await t.log(id)).map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  });

  test('of a pending delivery, or for a disabled webhook, is a conflict', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    const replay = async () => (await t.api('POST', `/${id}/deliveries/1/replay`)).status;
    expect(await replay()).toBe(409);
    await t.send();
    await t.patch(id, { is_active: false });
    expect(await replay()).toBe(409);
    expect((await t.api('POST', `/${id}/test`)).status).toBe(409);
    await t.patch(id, { is_active: true });
    expect(await replay()).toBe(201);
  });

  test('is queued once by a repeat with the same key', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.send();
    const send = (path: string) =>
      t.request('POST', `/api/v2/webhooks/${id}${path}`, {
        token: t.root.token,
        headers: { 'idempotency-key': path },
      });
    for (const path of ['/deliveries/1/replay', '/test']) {
      const first = await send(path);
      const again = await send(path);
      expect(again.headers.get('location')).toBe(String(first.headers.get('location')));
      expect(await again.json()).toEqual(await first.json());
    }
    expect(await t.log(id)).toHaveLength(3);
  });
});

test('a test sends an event of its own type, whatever the webhook listens to', async () => {
  await using hooks = receiver();
  await using t = await webhooksApp([hooks.host]);
  const { id } = await t.create({ url: hooks.url, events: ['users.deleted'] });
  const queued = await t.test(id);
  expect(queued).toMatchObject({ event_type: 'webhook.test', resource_id: null });
  await t.send();
  expect(hooks.events()).toEqual([
    { type: 'webhook.test', timestamp: new Date(t.clock.at).toISOString(), data: {} },
  ]);
});
