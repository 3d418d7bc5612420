import { describe, expect, test } from 'bun:test';
import { createRandom } from '../../../../bench/load/requests.ts';
import type { Config } from '../../../../src/core/config/config.ts';
import { createDiskSpace } from '../../../../src/core/db/disk-space.ts';
import { createAuthenticator } from '../../../passkeys.ts';
import { atOnce, PASSWORD, testApp } from '../../../support.ts';

const DAY_MS = 86_400_000;

async function withAda(config: Partial<Config> = {}) {
  let now = new Date('2026-01-01T00:00:00.000Z');
  const t = await testApp({ config, now: () => now });
  const ada = await t.signUp('ada');
  const { items } = ada.client.api.v2;
  const usage = async () => (await ada.client.api.v2.users.me.usage.get()).data;
  const later = (ms: number) => {
    now = new Date(now.getTime() + ms);
  };
  return { t, ada, items, usage, later, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

type Titled = { title: string };
const many = (count: number): Titled[] => Array.from({ length: count }, () => ({ title: 'a' }));

function importAll({ t, ada }: Awaited<ReturnType<typeof withAda>>, rows: Titled[]) {
  const body = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const headers = { 'content-type': 'application/x-ndjson' };
  return t.request('POST', '/api/v2/items/import', { body, headers, token: ada.token });
}

describe('the quota of items', () => {
  // proves: limits.items-of-an-account-including-those-in-the
  test('admits exactly as many of 50 simultaneous items as the quota allows', async () => {
    await using it = await withAda({ quotaItems: 20 });
    const answers = await atOnce(50, () => it.items.post({ title: 'a' }));
    const statuses = answers.map((it) => (it.status === 'fulfilled' ? it.value.status : 0));
    expect([201, 403].map((code) => statuses.filter((it) => it === code).length)).toEqual([20, 30]);
    expect(await it.usage()).toMatchObject({ items: { used: 20, limit: 20 } });
  }, 30_000);

  // proves: limits.quotas
  test('is named with its limit and use when it is exceeded', async () => {
    await using it = await withAda({ quotaItems: 1 });
    await it.items.post({ title: 'a' });
    const { error } = await it.items.post({ title: 'b' });
    expect(error?.value).toMatchObject({
      status: 403,
      code: 'quota_exceeded',
      quota: { name: 'items', limit: 1, used: 1 },
    });
    const v1 = await it.t.json('POST', '/api/v1/items/', { title: 'b' }, it.ada.token);
    expect([v1.status, await v1.json()]).toEqual([
      403,
      { detail: 'The quota of items would be exceeded: 1 of 1 used, 1 more needed' },
    ]);
  });

  test('refuses a whole batch that exceeds it', async () => {
    await using it = await withAda({ quotaItems: 5 });
    await it.items.post({ title: 'a' });
    const batch = (count: number) =>
      it.items.batch.post({ operations: many(count).map((item) => ({ op: 'create', item })) });
    expect((await batch(5)).error?.value).toMatchObject({ code: 'quota_exceeded' });
    expect(await it.usage()).toMatchObject({ items: { used: 1 } });
    expect((await batch(4)).status).toBe(200);
  });

  test('stops an import at the first excess item and reports how many were created', async () => {
    await using it = await withAda({ quotaItems: 230 });
    const answer = await importAll(it, many(500));
    expect([answer.status, await answer.json()]).toMatchObject([
      403,
      {
        code: 'quota_exceeded',
        detail: expect.stringContaining('items created before: 230'),
        quota: { name: 'items', limit: 230, used: 230 },
      },
    ]);
    expect(await it.usage()).toMatchObject({ items: { used: 230 } });
  });

  // proves: limits.items-of-an-account-including-those-in-the
  test('counts items in the bin until they are purged', async () => {
    await using it = await withAda({ quotaItems: 1 });
    await it.items.post({ title: 'a' });
    await it.items({ item_id: 1 }).delete();
    expect((await it.items.post({ title: 'b' })).status).toBe(403);
    it.later(31 * DAY_MS);
    await it.t.deps.jobs.runAll();
    const token = await it.t.client.api.v2.auth.login.post({ login: 'ada', password: PASSWORD });
    const again = it.t.clientFor(token.data?.token);
    expect((await again.api.v2.items.post({ title: 'b' })).status).toBe(201);
  });

  // proves: permissions.item-in-the-bin, data.personal-items
  test('is freed at once when the owner deletes an item from the bin', async () => {
    await using it = await withAda({ quotaItems: 1, quotaRevisions: 500 });
    await it.items.post({ title: 'a' });
    const item = it.items({ item_id: 1 });
    for (let n = 0; n < 60; n++) await item.patch({ title: `a ${n}` });
    expect((await item.bin.delete()).status).toBe(404);
    await item.delete();
    const root = await it.t.signUp('root', 'admin');
    expect((await root.client.api.v2.items({ item_id: 1 }).bin.delete()).status).toBe(404);
    expect((await item.bin.delete()).status).toBe(204);
    expect(await it.usage()).toMatchObject({ items: { used: 0 }, bytes: { used: 0 } });
    expect((await it.items.post({ title: 'b' })).status).toBe(201);
  }, 30_000);

  // proves: limits.items-of-an-account-including-those-in-the
  test('does not apply to an admin', async () => {
    await using it = await withAda({ quotaItems: 1, quotaBytes: 1 });
    const root = await it.t.signUp('root', 'admin');
    for (const title of ['a', 'b']) {
      expect((await root.client.api.v2.items.post({ title })).status).toBe(201);
    }
    const { data } = await root.client.api.v2.users.me.usage.get();
    expect(data).toMatchObject({ items: { used: 2, limit: null }, bytes: { limit: null } });
  });

  // proves: limits.quotas
  test('can be set by an admin for one account and reset with null', async () => {
    await using it = await withAda({ quotaItems: 1 });
    const root = await it.t.signUp('root', 'admin');
    const own = root.client.api.v2.users({ user_id: it.ada.id }).usage;
    const { data } = await own.patch({ items_limit: 2 });
    expect(data).toMatchObject({ items: { used: 0, limit: 2 } });
    const statuses = [];
    for (const { title } of many(3)) statuses.push((await it.items.post({ title })).status);
    expect(statuses).toEqual([201, 201, 403]);
    await own.patch({ items_limit: null });
    expect((await own.get()).data).toMatchObject({ items: { used: 2, limit: 1 } });
    expect((await it.ada.client.api.v2.users({ user_id: 2 }).usage.get()).status).toBe(403);
    expect((await root.client.api.v2.users({ user_id: 9 }).usage.get()).status).toBe(404);
  });

  test('refuses writes of a deleted account', async () => {
    await using it = await withAda();
    await it.ada.client.api.v2.users.me.delete({ password: PASSWORD });
    const fields = { title: 'late', description: '', url: null, tags: [], data: {} };
    const late = it.t.deps.items.create(it.ada, { ...fields, visibility: 'public' });
    await expect(late).rejects.toMatchObject({ code: 'inactive_user' });
  });
});

describe('the quota of bytes', () => {
  // proves: limits.bytes-of-an-account-texts-of-items-and
  test('counts the UTF-8 bytes of all texts of items and of their history', async () => {
    await using it = await withAda();
    await it.items.post({ title: 'é', description: 'ab', url: 'https://a.example/', tags: ['t'] });
    // The stored title, description, url, tags and data.
    expect((await it.usage())?.bytes.used).toBe(2 + 2 + 18 + 5 + 2);
    await it.items({ item_id: 1 }).patch({ title: 'abcd' });
    expect((await it.usage())?.bytes.used).toBe(4 + 2 + 18 + 5 + 2 + '{"title":"é"}'.length + 1);
  });

  // proves: limits.bytes-of-an-account-texts-of-items-and
  test('refuses writes that exceed it, but not deletions', async () => {
    await using it = await withAda({ quotaBytes: 1000 });
    expect((await it.items.post({ title: 'a', description: 'x'.repeat(990) })).status).toBe(201);
    const { error } = await it.items({ item_id: 1 }).patch({ title: 'b' });
    expect(error?.value).toMatchObject({ code: 'quota_exceeded', quota: { name: 'bytes' } });
    const big = await it.items.post({ title: 'a', description: 'x' });
    expect(big.error?.value).toMatchObject({ quota: { name: 'bytes', limit: 1000, used: 995 } });
    expect((await it.items({ item_id: 1 }).delete()).status).toBe(204);
  });
});

describe('the quota of stored responses', () => {
  // proves: limits.responses-stored-for-idempotency-keys-of-an-account
  test('refuses the write of one more key, and still replays stored responses', async () => {
    await using it = await withAda({ quotaIdempotencyKeys: 2 });
    const post = (key: string) =>
      it.items.post({ title: key }, { headers: { 'idempotency-key': key } });
    const statuses = [];
    for (const key of ['a', 'b', 'c', 'a']) statuses.push((await post(key)).status);
    expect(statuses).toEqual([201, 201, 403, 201]);
    expect(await it.usage()).toMatchObject({ items: { used: 2 }, idempotency_keys: { used: 2 } });
    const without = await it.t.json('POST', '/api/v2/items', { title: 'c' }, it.ada.token);
    expect(without.status).toBe(201);
  });

  // proves: limits.responses-stored-for-idempotency-keys-of-an-account
  test('also counts their bytes', async () => {
    await using it = await withAda({ quotaIdempotencyBytes: 600 });
    const headers = { 'idempotency-key': 'a' };
    const { error } = await it.items.post(
      { title: 'a', description: 'x'.repeat(600) },
      { headers },
    );
    expect(error?.value).toMatchObject({ quota: { name: 'idempotency_bytes', used: 0 } });
    expect(await it.usage()).toMatchObject({ items: { used: 0 } });
  });
});

describe('the quotas of credentials', () => {
  // proves: limits.sessions-of-an-account, sessions.session-tokens-are-opaque-and-have-256-bits
  test('one session too many ends the least recently used', async () => {
    await using it = await withAda({ quotaSessions: 3 });
    const login = async () => {
      it.later(1000);
      const answer = await it.t.client.api.v2.auth.login.post({ login: 'ada', password: PASSWORD });
      return it.t.clientFor(answer.data?.token);
    };
    const [second, third] = [await login(), await login()];
    it.later(2 * 3_600_000);
    // A use is recorded after an hour, so the first session is now the most recently used.
    await it.ada.client.api.v2.users.me.get();
    const fourth = await login();
    const statusOf = async (client: typeof fourth) => (await client.api.v2.users.me.get()).status;
    const clients = [it.ada.client, second, third, fourth];
    expect(await Promise.all(clients.map(statusOf))).toEqual([200, 401, 200, 200]);
  });

  // proves: limits.unexpired-tokens-of-an-account
  test('count only unexpired tokens', async () => {
    await using it = await withAda({ quotaTokens: 2 });
    const { tokens } = it.ada.client.api.v2;
    const post = (days: number) =>
      tokens.post({
        password: PASSWORD,
        name: 'x',
        scopes: ['items:read'],
        expires_in_days: days,
      });
    expect([(await post(1)).status, (await post(30)).status]).toEqual([201, 201]);
    expect((await post(1)).error?.value).toMatchObject({
      code: 'quota_exceeded',
      quota: { name: 'tokens', limit: 2, used: 2 },
    });
    it.later(2 * DAY_MS);
    expect((await post(1)).status).toBe(201);
  });
});

// proves: limits.passkeys-of-an-account
test('the quota of passkeys refuses one more, until one is removed', async () => {
  const publicUrl = 'http://localhost';
  await using it = await withAda({ quotaPasskeys: 1, publicUrl });
  const { passkeys } = it.ada.client.api.v2.auth;
  const add = async () => {
    const { data } = await passkeys.options.post({ password: PASSWORD });
    const response = createAuthenticator(publicUrl).create(data?.options);
    return passkeys.post({ flow: data?.flow ?? '', name: 'laptop', response });
  };
  const { data } = await add();
  expect((await add()).error?.value).toMatchObject({
    code: 'quota_exceeded',
    quota: { name: 'passkeys', limit: 1, used: 1 },
  });
  await passkeys({ passkey_id: data?.id ?? 0 }).delete();
  expect((await add()).status).toBe(201);
});

describe('the history of an item', () => {
  // proves: limits.changes-in-the-history-of-an-item
  test('stores the newest changes, as many as the setting allows', async () => {
    await using it = await withAda({ quotaRevisions: 3 });
    await it.items.post({ title: 'title 1' });
    const item = it.items({ item_id: 1 });
    for (let version = 2; version <= 6; version++) await item.patch({ title: `title ${version}` });
    const { data } = await item.revisions.get();
    expect(data?.data.map(({ version }) => version)).toEqual([6, 5, 4, 1]);
    expect((await item.revisions.post({ version: 2 })).status).toBe(404);
    expect((await item.revisions.post({ version: 3 })).data?.title).toBe('title 3');
    expect((await it.usage())?.bytes.used).toBe(
      'title 3[]{}'.length + 3 * '{"title":"title 3"}'.length,
    );
  });
});

describe('a disk that is nearly full', () => {
  // proves: limits.free-disk-space
  test('accepts writes only from admins, while everyone can sign in', async () => {
    await using t = await testApp({ config: { minFreeBytes: 1e14 } });
    const root = await t.signUp('root', 'admin');
    expect((await root.client.api.v2.items.post({ title: 'a' })).status).toBe(201);
    const made = { email: 'bob@example.com', username: 'bob', password: 'beets-and-barley' };
    const refused = await t.client.api.v2.auth.register.post(made);
    expect([refused.status, refused.error?.value]).toMatchObject([507, { code: 'storage_full' }]);
    expect((await root.client.api.v2.users.post(made)).status).toBe(201);
    const login = { login: 'bob', password: made.password };
    const { data } = await t.client.api.v2.auth.login.post(login);
    const bob = t.clientFor(data?.token).api.v2;
    expect((await bob.items.post({ title: 'a' })).status).toBe(507);
    const token = { password: made.password, name: 'x', scopes: ['items:read' as const] };
    expect((await bob.tokens.post(token)).status).toBe(507);
  });

  test('is noticed at the next check, and so is the space freed later', () => {
    let free = 100;
    const checked: string[] = [];
    let nowMs = 0;
    const disk = createDiskSpace({
      path: '/data',
      minFreeBytes: 50,
      freeBytes: (path) => {
        checked.push(path);
        return free;
      },
      now: () => nowMs,
    });
    expect([disk.isLow(), disk.isLow(), checked]).toEqual([false, false, ['/data']]);
    free = 10;
    expect(disk.isLow()).toBe(false);
    nowMs = 3000;
    expect(disk.isLow()).toBe(true);
    free = 60;
    nowMs = 6000;
    expect([disk.isLow(), checked.length]).toEqual([false, 3]);
  });
});

describe('the counted usage', () => {
  // proves: limits.quotas
  test('equals the stored data after any changes', async () => {
    await using it = await withAda({ quotaRevisions: 4, quotaBytes: 20_000, quotaItems: 15 });
    const random = createRandom(7);
    const pick = (count: number) => Math.floor(random() * count);
    const text = () => 'aé🐇'.repeat(pick(60));
    const item = () => it.items({ item_id: 1 + pick(20) });
    const statuses = new Set<number>();
    for (let step = 0; step < 300; step++) {
      const fields = {
        title: `t${text()}`.slice(0, 100),
        description: text(),
        data: { a: text() },
      };
      const acts = [
        () => it.items.post(fields, { headers: { 'idempotency-key': `${pick(200)}` } }),
        () => item().patch({ ...fields, url: pick(2) ? null : `https://a.example/${step}` }),
        () => item().patch({ tags: ['x', text().slice(0, 20) || 'y'] }),
        () => item().revisions.post({ version: 1 + pick(4) }),
        () => item().delete(),
        () => item().restore.post(),
      ];
      statuses.add((await (acts[pick(acts.length)] as (typeof acts)[0])()).status);
      if (step % 100 === 99) await it.t.deps.jobs.runAll();
    }
    expect([...statuses]).toEqual(expect.arrayContaining([200, 201, 204, 403]));
    expect(await it.t.deps.usageCheck.find()).toEqual([]);
    it.later(40 * DAY_MS);
    await it.t.deps.jobs.runAll();
    expect(await it.t.deps.usageCheck.find()).toEqual([]);
    const left = it.t.deps.db.client.query('select count(*) from items').values()[0]?.[0];
    const row = it.t.deps.db.client
      .query('select items, idempotency_keys from account_usage')
      .get();
    expect(row).toEqual({ items: left, idempotency_keys: 0 });
  }, 30_000);

  // proves: limits.quotas
  test('is found and corrected if it is wrong', async () => {
    await using it = await withAda();
    await it.items.post({ title: 'a' }, { headers: { 'idempotency-key': 'a' } });
    const right = await it.usage();
    it.t.deps.db.client.run('update account_usage set items = 7, bytes = 0, idempotency_keys = 0');
    const drifts = await it.t.deps.usageCheck.find();
    const missing = { items: -6, bytes: 5, idempotency_keys: 1, idempotency_bytes: 0 };
    expect(drifts).toEqual([{ user_id: it.ada.id, ...missing }]);
    await it.t.deps.usageCheck.repair(drifts);
    expect(await it.usage()).toEqual(right);
    expect(await it.t.deps.usageCheck.find()).toEqual([]);
  });
});
