import { describe, expect, test } from 'bun:test';
import { receiver, verify, webhooksApp } from '../../../webhooks.ts';

describe('an event', () => {
  test('of an item has its document and a signature that the official library accepts', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const { secret } = await t.create({ url: `${hooks.url}/in?k=1`, events: ['items.created'] });
    const id = await t.item({ title: 'Hay', tags: ['barn'], data: { bales: 3 } });
    await t.send();
    const document = await (await t.request('GET', `/api/v2/items/${id}`)).json();
    expect(hooks.asked).toHaveLength(1);
    const [request] = hooks.asked as [(typeof hooks.asked)[number]];
    expect(verify(request, secret)).toEqual({
      type: 'items.created',
      timestamp: new Date(t.clock.at).toISOString(),
      data: { ...(document as object), id, version: 1 },
    });
    expect([request.method, request.url]).toEqual(['POST', `${hooks.url}/in?k=1`]);
    expect(request.headers.toJSON()).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^hutch\//),
      'webhook-id': expect.stringMatching(/^evt_[0-9a-f]{32}$/),
      'webhook-timestamp': String(Math.floor(t.clock.at / 1000)),
    });
  });

  test('is sent for each creation, change and deletion, in order', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    await t.create({ url: hooks.url, events: ['items.*'] });
    const id = await t.item();
    await t.json('PATCH', `/api/v2/items/${id}`, { title: 'Straw' }, t.ada.token);
    await t.request('DELETE', `/api/v2/items/${id}`, { token: t.ada.token });
    await t.json('POST', `/api/v2/items/${id}/restore`, {}, t.ada.token);
    await t.send();
    expect(hooks.events().map(({ type, data }) => [type, data.id])).toEqual([
      ['items.created', id],
      ['items.updated', id],
      ['items.deleted', id],
      ['items.created', id],
    ]);
  });

  test('of a deletion has only the id and the version', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    await t.create({ url: hooks.url, events: ['items.deleted'] });
    const id = await t.item();
    await t.request('DELETE', `/api/v2/items/${id}`, { token: t.ada.token });
    await t.send();
    expect(hooks.events()).toMatchObject([{ type: 'items.deleted', data: { id, version: 2 } }]);
    expect(Object.keys(hooks.events()[0]?.data ?? {})).toEqual(['id', 'version']);
  });

  test('of a change that was rolled back is not sent', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    await t.create({ url: hooks.url });
    const operations = [
      { op: 'create', item: { title: 'Hay' } },
      { op: 'delete', id: 4711 },
    ];
    const batch = await t.json('POST', '/api/v2/items/batch', { operations }, t.ada.token);
    expect(batch.status).toBeGreaterThanOrEqual(400);
    await t.send();
    expect(hooks.asked).toEqual([]);
  });

  test('of an account has the account as admins see it', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    await t.create({ url: hooks.url, events: ['users.*'] });
    const { token } = t.root;
    const bob = await t.signUp('bob');
    await t.json('PATCH', `/api/v2/users/${bob.id}`, { role: 'admin', username: 'bobby' }, token);
    await t.send();
    const shown = await (await t.request('GET', `/api/v2/users/${bob.id}`, { token })).json();
    expect(hooks.events()).toMatchObject([
      { type: 'users.created', data: shown },
      { type: 'users.updated', data: shown },
    ]);
    await t.request('DELETE', `/api/v2/users/${bob.id}`, { token });
    await t.send();
    expect(hooks.events()[2]).toMatchObject({ type: 'users.deleted', data: { id: bob.id } });
    expect(JSON.stringify(hooks.events()[2])).not.toContain('bob');
  });

  test('is sent only to the webhooks that listen to it', async () => {
    await using items = receiver();
    await using users = receiver();
    await using all = receiver();
    await using t = await webhooksApp([items.host, users.host, all.host]);
    await t.create({ url: items.url, events: ['items.created', 'items.*'] });
    await t.create({ url: users.url, events: ['users.created'] });
    await t.create({ url: all.url, events: ['*'] });
    await t.item();
    await t.signUp('bob');
    await t.send();
    expect(items.types()).toEqual(['items.created']);
    expect(users.types()).toEqual(['users.created']);
    expect(all.types().toSorted()).toEqual(['items.created', 'users.created']);
    const idOf = ({ asked }: typeof items) => asked[0]?.headers.get('webhook-id');
    expect(idOf(items)).toBe(
      String(all.asked.find(({ body }) => body.includes('Hay'))?.headers.get('webhook-id')),
    );
  });

  test('is not recorded while the webhook is disabled', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url, is_active: false });
    await t.item();
    await t.patch(id, { is_active: true });
    const later = await t.item();
    await t.send();
    expect(hooks.events().map(({ data }) => data.id)).toEqual([later]);
  });
});

describe('a private item', () => {
  // proves: permissions.event-of-a-webhook
  test('sends no event at any change, not even its deletion', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    await t.create({ url: hooks.url });
    for (const { token } of [t.ada, t.root]) {
      const item = { title: 'Diary', visibility: 'private' };
      const created = await t.json('POST', '/api/v2/items', item, token);
      const { id } = (await created.json()) as { id: number };
      await t.json('PATCH', `/api/v2/items/${id}`, { title: 'Letters' }, token);
      await t.request('DELETE', `/api/v2/items/${id}`, { token });
    }
    expect(t.deps.db.client.query('select * from webhook_deliveries').all()).toEqual([]);
    await t.send();
    expect(hooks.asked).toEqual([]);
  });

  test('that becomes public is created, and one that becomes private is deleted', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    await t.create({ url: hooks.url });
    const id = await t.item({ visibility: 'private' });
    const change = (visibility: string) =>
      t.json('PATCH', `/api/v2/items/${id}`, { visibility }, t.ada.token);
    await change('public');
    await t.send();
    await change('private');
    await t.send();
    expect(hooks.events()).toMatchObject([
      { type: 'items.created', data: { id, version: 2, title: 'Hay' } },
      { type: 'items.deleted', data: { id, version: 3 } },
    ]);
  });

  test('is not in events from when it was public', async () => {
    let status = 500;
    await using hooks = receiver(() => new Response(null, { status }));
    await using t = await webhooksApp([hooks.host]);
    const { id: webhook } = await t.create({ url: hooks.url, events: ['items.created'] });
    const id = await t.item({ title: 'Open diary' });
    await t.send();
    expect(hooks.asked[0]?.body).toContain('Open diary');
    await t.json('PATCH', `/api/v2/items/${id}`, { visibility: 'private' }, t.ada.token);
    status = 204;
    t.clock.at += 10_000;
    await t.send();
    const [delivery] = await t.log(webhook);
    await t.replay(webhook, Number(delivery?.id));
    await t.send();
    const [, retry, replay] = hooks.events();
    expect([retry?.data, replay?.data]).toEqual([
      { id, version: 1 },
      { id, version: 1 },
    ]);
  });
});

test('a late attempt has the current document', async () => {
  let status = 503;
  await using hooks = receiver(() => new Response(null, { status }));
  await using t = await webhooksApp([hooks.host]);
  await t.create({ url: hooks.url, events: ['items.created'] });
  const id = await t.item();
  await t.send();
  await t.json('PATCH', `/api/v2/items/${id}`, { title: 'Straw' }, t.ada.token);
  status = 200;
  t.clock.at += 10_000;
  await t.send();
  expect(hooks.events().map(({ data }) => [data['title'], data.version])).toEqual([
    ['Hay', 1],
    ['Straw', 2],
  ]);
});
