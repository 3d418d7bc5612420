import { describe, expect, test } from 'bun:test';
import { receiver, webhooksApp } from '../../../webhooks.ts';

const URL_ = 'https://hooks.example.com/hutch?key=hay';
const CHOSEN = `whsec_${Buffer.from('straw-and-hay-for-the-hutch!').toString('base64')}`;

describe('a webhook', () => {
  test('is created with a random secret, which no later response shows', async () => {
    await using t = await webhooksApp();
    const response = await t.api('POST', '', { url: URL_, events: ['items.*'] });
    expect([response.status, response.headers.get('location')]).toEqual([
      201,
      '/api/v2/webhooks/1',
    ]);
    const { secret, ...created } = (await response.json()) as { secret: string };
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(created).toMatchObject({
      id: 1,
      url: URL_,
      events: ['items.*'],
      description: '',
      is_active: true,
      disabled_reason: null,
      failing_since: null,
      version: 1,
    });
    const shown = [
      await t.api('GET', '/1'),
      await t.api('GET', ''),
      await t.api('PATCH', '/1', {}),
    ];
    const bodies = await Promise.all(shown.map((it) => it.json()));
    expect(bodies).toMatchObject([created, { data: [created] }, created]);
    expect(JSON.stringify(bodies)).not.toContain('whsec_');
  });

  test('accepts a chosen secret', async () => {
    await using t = await webhooksApp();
    expect((await t.create({ url: URL_, secret: CHOSEN })).secret).toBe(CHOSEN);
  });

  test.each([
    ['url', 'http://hooks.example.com/', 'url_refused'],
    ['url', 'https://10.0.0.1/', 'address_refused'],
    ['url', 'https://[::1]/', 'address_refused'],
    ['url', 'https://hooks.example.com:8443/', 'url_refused'],
    ['url', 'https://me@hooks.example.com/', 'url_refused'],
    ['url', 'ftp://hooks.example.com/', 'url_refused'],
    ['events', [], 'value_error'],
    ['events', ['items'], 'value_error'],
    ['events', ['items.viewed'], 'value_error'],
    ['events', ['sessions.created'], 'value_error'],
    ['events', ['items.*', '*.created'], 'value_error'],
    ['secret', 'whsec_', 'value_error'],
    ['secret', Buffer.alloc(32).toString('base64'), 'value_error'],
    ['secret', `whsec_${Buffer.alloc(23).toString('base64')}`, 'value_error'],
    ['secret', `whsec_${Buffer.alloc(65).toString('base64')}`, 'value_error'],
    ['description', 'x'.repeat(501), 'string_too_long'],
  ])(
    // proves: input.webhook-admins
    'with the %s %j is 422 and names the field',
    async (field, value, code) => {
      await using t = await webhooksApp();
      const body = { url: URL_, events: ['*'], [field]: value };
      const refused = await t.api('POST', '', body);
      expect(refused.status).toBe(422);
      const { errors } = (await refused.json()) as { errors: { path: string; code: string }[] };
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatchObject({ path: expect.stringContaining(`body.${field}`), code });
    },
  );

  test('is changed by PATCH, under If-Match', async () => {
    await using t = await webhooksApp();
    const { id } = await t.create({ url: URL_ });
    const read = await t.api('GET', `/${id}`);
    const etag = String(read.headers.get('etag'));
    const path = `/api/v2/webhooks/${id}`;
    const { token } = t.root;
    const headers = { 'content-type': 'application/json', 'if-match': etag };
    const patch = (body: object) =>
      t.request('PATCH', path, { token, headers, body: JSON.stringify(body) });
    const changed = await patch({ events: ['users.deleted'], is_active: false });
    expect(await changed.json()).toMatchObject({
      events: ['users.deleted'],
      is_active: false,
      disabled_reason: null,
      version: 2,
    });
    expect((await patch({ description: 'late' })).status).toBe(412);
    const same = { token, headers: { 'if-none-match': String(changed.headers.get('etag')) } };
    expect((await t.request('GET', path, same)).status).toBe(304);
    expect((await t.request('DELETE', path, { token, headers: { 'if-match': etag } })).status).toBe(
      412,
    );
  });

  test('is gone once it is deleted, and its deliveries are erased', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.item();
    expect((await t.api('DELETE', `/${id}`)).status).toBe(204);
    for (const path of ['', '/deliveries', '/deliveries/1']) {
      expect((await t.api('GET', `/${id}${path}`)).status).toBe(404);
    }
    expect((await t.api('POST', `/${id}/test`)).status).toBe(404);
    await t.send();
    expect(hooks.asked).toEqual([]);
    t.clock.at += 120_000;
    await t.deps.jobs.runAll();
    for (const table of ['webhooks', 'webhook_deliveries']) {
      expect(t.deps.db.client.query(`select * from ${table}`).all()).toEqual([]);
    }
  });

  test('is created once by a repeat with the same key, which shows the secret again', async () => {
    await using t = await webhooksApp();
    const create = (body: object) =>
      t.request('POST', '/api/v2/webhooks', {
        token: t.root.token,
        headers: { 'content-type': 'application/json', 'idempotency-key': 'one' },
        body: JSON.stringify(body),
      });
    const first = await create({ url: URL_, events: ['*'] });
    const again = await create({ url: URL_, events: ['*'] });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect([again.status, await again.json()]).toEqual([201, await first.json()]);
    expect((await create({ url: URL_, events: ['items.*'] })).status).toBe(422);
  });

  test('beyond 100 others is a conflict', async () => {
    await using t = await webhooksApp();
    for (let index = 0; index < 100; index++) await t.create({ url: URL_ });
    const refused = await t.api('POST', '', { url: URL_, events: ['*'] });
    expect(await refused.json()).toMatchObject({ status: 409, code: 'conflict' });
    expect((await t.api('DELETE', '/1')).status).toBe(204);
    await t.create({ url: URL_ });
  });

  test('lists come in pages', async () => {
    await using t = await webhooksApp();
    for (let index = 0; index < 3; index++) await t.create({ url: URL_ });
    const ids: number[] = [];
    let query = '?limit=2';
    for (let pages = 0; pages < 2; pages++) {
      const page = (await (await t.api('GET', query)).json()) as {
        data: { id: number }[];
        page: { next_cursor: string | null };
      };
      ids.push(...page.data.map(({ id }) => id));
      query = `?limit=2&cursor=${page.page.next_cursor}`;
    }
    expect(ids).toEqual([1, 2, 3]);
    expect((await t.api('GET', '?cursor=hay')).status).toBe(400);
  });
});

test('the audit log records each action on webhooks, without the URL', async () => {
  await using t = await webhooksApp();
  const { id } = await t.create({ url: URL_ });
  await t.patch(id, { description: 'x' });
  await t.test(id);
  await t.api('POST', `/${id}/rotate-secret`, {});
  await t.api('DELETE', `/${id}`);
  const rows = t.deps.db.client
    .query(`select action, details from audit_log where action like 'webhook.%' order by id`)
    .all() as { action: string; details: string }[];
  expect(rows.map(({ action }) => action)).toEqual([
    'webhook.created',
    'webhook.updated',
    'webhook.tested',
    'webhook.secret_rotated',
    'webhook.deleted',
  ]);
  expect(JSON.stringify(rows)).not.toContain('hooks.example.com');
});
