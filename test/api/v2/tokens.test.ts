import { describe, expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

describe('a personal access token', () => {
  test('is shown once, recognised by its prefix, and stored as its hash', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const { data, status } = await client.api.v2.tokens.post({
      name: 'script',
      scopes: ['items:write'],
    });
    expect(status).toBe(201);
    expect(data?.token).toMatch(/^hut_[\w-]{43}$/);
    expect(data?.token).toStartWith(data?.prefix ?? '?');
    const list = await client.api.v2.tokens.get();
    expect(JSON.stringify(list.data)).not.toContain(data?.token ?? '?');
    const stored = JSON.stringify(t.deps.db.client.query('select * from access_tokens').all());
    expect(stored).not.toContain(data?.token ?? '?');
  });

  test('does what its scopes say and nothing else', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const { data } = await client.api.v2.tokens.post({ name: 'w', scopes: ['items:write'] });
    const script = t.clientFor(data?.token);
    expect((await script.api.v1.items.post({ title: 'a' })).status).toBe(200);
    const refused = await Promise.all([
      script.api.v1.external.get({ query: { url: ['http://example.com/'] } }),
      script.api.v2.users.me.get(),
      script.api.v2.tokens.get(),
      script.api.v2.tokens.post({ name: 'more', scopes: ['admin'] }),
      script.api.v2.auth.sessions.delete(),
    ]);
    expect(refused.map(({ status }) => status)).toEqual(Array(5).fill(403));
    expect(refused[1]?.error?.value).toMatchObject({ code: 'insufficient_scope' } as never);
  });

  test('ends at its end, and with its deletion', async () => {
    let now = Date.parse('2026-11-22T16:00:00.000Z');
    await using t = await testApp({ now: () => new Date(now) });
    const { client } = await t.signUp('ada');
    const make = async (expires_in_days: number | null) =>
      (await client.api.v2.tokens.post({ name: 'x', scopes: ['users:read'], expires_in_days }))
        .data;
    const short = await make(1);
    const forever = await make(null);
    const isLive = async (token: string | undefined) =>
      (await t.clientFor(token).api.v2.users.me.get()).status === 200;
    now += 86_400_000 - 1;
    expect(await isLive(short?.token)).toBe(true);
    now += 1;
    expect(await isLive(short?.token)).toBe(false);
    expect(await isLive(forever?.token)).toBe(true);
    await client.api.v2.tokens({ token_id: forever?.id ?? 0 }).delete();
    expect(await isLive(forever?.token)).toBe(false);
  });

  test('cannot be given a scope above the own role', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    expect((await client.api.v2.tokens.post({ name: 'x', scopes: ['admin'] })).status).toBe(403);
    const root = await t.signUp('root', 'admin');
    const { data } = await root.client.api.v2.tokens.post({ name: 'x', scopes: ['admin'] });
    expect((await t.clientFor(data?.token).api.v2.system.stats.get()).status).toBe(200);
  });

  test("somebody else's is not_found", async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const bob = await t.signUp('bob');
    const { data } = await ada.client.api.v2.tokens.post({ name: 'x', scopes: ['items:read'] });
    expect((await bob.client.api.v2.tokens({ token_id: data?.id ?? 0 }).delete()).status).toBe(404);
    expect((await ada.client.api.v2.tokens({ token_id: data?.id ?? 0 }).delete()).status).toBe(204);
  });

  test('notes its last use', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const { data } = await client.api.v2.tokens.post({ name: 'x', scopes: ['users:read'] });
    expect(data?.last_used_at).toBeNull();
    await t.clientFor(data?.token).api.v2.users.me.get();
    await Bun.sleep(5);
    expect((await client.api.v2.tokens.get()).data?.data[0]?.last_used_at).toBeString();
  });
});
