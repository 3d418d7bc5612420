import { describe, expect, test } from 'bun:test';
import { createActionTokens } from '../../../../src/services/auth/action-tokens.ts';
import { queued } from '../../../smtp.ts';
import { openSession, PASSWORD, testApp } from '../../../support.ts';

describe('a personal access token', () => {
  // proves: cryptography.session-access-mailed-and-flow-tokens
  test('is shown once, recognised by its prefix, and stored as its hash', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const { data, status } = await client.api.v2.tokens.post({
      password: PASSWORD,
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

  // proves: sign-in-methods.personal-access-token, 10.3.2
  test('allows what its scopes cover and nothing else', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const { data } = await client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'w',
      scopes: ['items:write'],
    });
    const script = t.clientFor(data?.token);
    expect((await script.api.v1.items.post({ title: 'a' })).status).toBe(200);
    const refused = await Promise.all([
      script.api.v1.external.get({ query: { url: ['http://example.com/'] } }),
      script.api.v2.users.me.get(),
      script.api.v2.tokens.get(),
      script.api.v2.tokens.post({ password: PASSWORD, name: 'more', scopes: ['admin'] }),
      script.api.v2.auth.sessions.delete(),
    ]);
    expect(refused.map(({ status }) => status)).toEqual(Array(5).fill(403));
    expect(refused[1]?.error?.value).toMatchObject({ code: 'insufficient_scope' } as never);
  });

  // proves: sign-in-methods.its-lifetime
  test('stops working when it expires or is deleted', async () => {
    let now = Date.parse('2026-11-22T16:00:00.000Z');
    await using t = await testApp({ now: () => new Date(now) });
    const ada = await t.signUp('ada');
    const make = (expires_in_days: number) =>
      t.deps.accessTokens.create(ada, { name: 'x', scopes: ['users:read'], expires_in_days });
    const [short, long] = [await make(1), await make(365)];
    const isLive = async (token: string) =>
      (await t.clientFor(token).api.v2.users.me.get()).status === 200;
    now += 86_400_000 - 1;
    expect(await isLive(short.token)).toBe(true);
    now += 1;
    expect(await isLive(short.token)).toBe(false);
    expect(await isLive(long.token)).toBe(true);
    await ada.client.api.v2.tokens({ token_id: long.id }).delete();
    expect(await isLive(long.token)).toBe(false);
  });

  test.each([
    ['user', undefined, 90],
    ['user', 365, 365],
    ['admin', undefined, 90],
    ['admin', 90, 90],
    // proves: sign-in-methods.its-lifetime
  ] as const)('of a %s that requests %p days is valid for %p', async (role, requested, days) => {
    await using t = await testApp({ now: () => new Date('2026-01-01T00:00:00.000Z') });
    const { client } = await t.signUp('ada', role);
    const { data } = await client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'x',
      scopes: ['users:read'],
      ...(requested && { expires_in_days: requested }),
    });
    const end = Date.parse('2026-01-01T00:00:00.000Z') + days * 86_400_000;
    expect(data?.expires_at).toBe(new Date(end).toISOString());
  });

  test.each([
    ['user', 366, {}],
    ['user', null, {}],
    ['user', 31, { tokenDays: 30 }],
    ['admin', 91, {}],
    ['admin', null, {}],
    // proves: sign-in-methods.its-lifetime
  ] as const)('of a %s for %p days is validation_failed', async (role, expires_in_days, config) => {
    await using t = await testApp({ config });
    const { token } = await t.signUp('ada', role);
    const body = { password: PASSWORD, name: 'x', scopes: ['users:read'], expires_in_days };
    const response = await t.json('POST', '/api/v2/tokens', body, token);
    expect(response.status).toBe(422);
    expect(JSON.stringify(await response.json())).toContain('expires_in_days');
  });

  // proves: input.scopes-of-a-token, 2.2.3
  test('cannot have a scope above the role of its owner', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    expect(
      (await client.api.v2.tokens.post({ password: PASSWORD, name: 'x', scopes: ['admin'] }))
        .status,
    ).toBe(403);
    const root = await t.signUp('root', 'admin');
    const { data } = await root.client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'x',
      scopes: ['admin'],
    });
    expect((await t.clientFor(data?.token).api.v2.system.stats.get()).status).toBe(200);
  });

  // proves: permissions.sessions-tokens-passkeys-identities, 8.2.2
  test("somebody else's is not_found", async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const bob = await t.signUp('bob');
    const { data } = await ada.client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'x',
      scopes: ['items:read'],
    });
    expect((await bob.client.api.v2.tokens({ token_id: data?.id ?? 0 }).delete()).status).toBe(404);
    expect((await ada.client.api.v2.tokens({ token_id: data?.id ?? 0 }).delete()).status).toBe(204);
  });

  // proves: sign-in-methods.personal-access-token
  test('records its last use at most once in 5 minutes', async () => {
    let now = Date.parse('2026-11-22T16:00:00.000Z');
    await using t = await testApp({ now: () => new Date(now) });
    const { client } = await t.signUp('ada');
    const { data } = await client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'x',
      scopes: ['users:read'],
    });
    expect(data?.last_used_at).toBeNull();
    const lastUse = async () => (await client.api.v2.tokens.get()).data?.data[0]?.last_used_at;
    const use = async (at: number) => {
      now = at;
      await t.clientFor(data?.token).api.v2.users.me.get();
      // The use is recorded in the background; this write completes after it.
      await t.deps.db.write(async () => {});
      return lastUse();
    };
    const first = now;
    const firstUse = new Date(first).toISOString();
    expect(await use(first)).toBe(firstUse);
    expect(await use(first + 300_000)).toBe(firstUse);
    expect(await use(first + 300_001)).toBe(new Date(first + 300_001).toISOString());
  });

  // proves: sign-in-methods.personal-access-token
  test('is reported to its owner by mail', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await client.api.v2.tokens.post({ password: PASSWORD, name: 'x', scopes: ['items:read'] });
    expect(await queued(t)).toMatchObject([
      {
        recipient: 'ada@example.com',
        subject: 'A personal access token was added to your account',
      },
    ]);
  });
});

describe('creating a token', () => {
  const TOKEN = { name: 'x', scopes: ['users:read' as const] };
  const MINUTE_MS = 60_000;

  /** An app with its own clock, and ada with a session without a second factor. */
  async function withAda() {
    let now = Date.parse('2026-11-22T16:00:00.000Z');
    const t = await testApp({ now: () => new Date(now) });
    const ada = await t.signUp('ada');
    const sessionWith = (proof: { secondFactor?: boolean }) => openSession(t.deps, ada, proof);
    const pass = (ms: number) => {
      now += ms;
    };
    return { t, ada, sessionWith, pass, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
  }

  // proves: sign-in-methods.personal-access-token
  test('is proof_required without the password', async () => {
    await using it = await withAda();
    const refused = await it.ada.client.api.v2.tokens.post(TOKEN);
    expect(refused.status).toBe(403);
    expect(refused.error?.value).toMatchObject({ code: 'proof_required' } as never);
    expect((await it.ada.client.api.v2.tokens.get()).data?.data).toEqual([]);
  });

  test('is bad_credentials with a wrong password, up to the limit of failed sign-ins', async () => {
    await using it = await withAda();
    const statuses: number[] = [];
    for (let guess = 0; guess < 7; guess++) {
      const body = { ...TOKEN, password: `wrong-${guess}` };
      statuses.push((await it.ada.client.api.v2.tokens.post(body)).status);
    }
    expect(statuses.slice(0, 5)).toEqual(Array(5).fill(401));
    expect(statuses.at(-1)).toBe(429);
  });

  // proves: sign-in-methods.personal-access-token
  test('accepts a second factor that the session proved within 10 minutes', async () => {
    await using it = await withAda();
    const { tokens } = it.t.clientFor(await it.sessionWith({ secondFactor: true })).api.v2;
    it.pass(10 * MINUTE_MS - 1);
    expect((await tokens.post(TOKEN)).status).toBe(201);
    it.pass(1);
    expect((await tokens.post(TOKEN)).status).toBe(403);
    expect((await tokens.post({ ...TOKEN, password: PASSWORD })).status).toBe(201);
  });

  // proves: sign-in-methods.personal-access-token
  test('accepts a sign-in within the last 10 minutes for an account without a password', async () => {
    await using it = await withAda();
    it.t.deps.db.client.run('UPDATE users SET password_hash = NULL');
    const { tokens } = it.t.clientFor(await it.sessionWith({})).api.v2;
    it.pass(10 * MINUTE_MS - 1);
    expect((await tokens.post(TOKEN)).status).toBe(201);
    it.pass(1);
    expect((await tokens.post(TOKEN)).status).toBe(403);
  });

  test('is refused if the session ended while the password was checked', async () => {
    await using it = await withAda();
    const [session] = (await it.ada.client.api.v2.auth.sessions.get()).data?.data ?? [];
    const ended = { ...it.ada, session: { id: (session?.id ?? 0) + 1, second_factor_at: null } };
    const created = it.t.deps.accessTokens.create(ended, TOKEN);
    await expect(created).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('a token ends', () => {
  /** Returns the statuses of ada's token before and after `act`, which receives an admin client. */
  async function statusesAround(
    act: (it: Awaited<ReturnType<typeof started>>) => Promise<unknown>,
  ) {
    await using it = await started();
    const use = async () => (await it.t.clientFor(it.token).api.v2.users.me.get()).status;
    const before = await use();
    await act(it);
    return [before, await use()];
  }
  async function started() {
    const t = await testApp();
    const ada = await t.signUp('ada');
    t.deps.db.client.run("UPDATE users SET email_verified_at = '2026-01-01T00:00:00.000Z'");
    const root = await t.signUp('root', 'admin');
    const body = { name: 'x', scopes: ['users:read' as const] };
    const { token } = await t.deps.accessTokens.create(ada, body);
    return { t, ada, root, token, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
  }
  const accountOf = ({ ada, root }: Awaited<ReturnType<typeof started>>) =>
    root.client.api.v2.users({ user_id: ada.id });

  // proves: sessions.password-changed
  test('with a password change', async () => {
    const change = { current_password: PASSWORD, new_password: 'beets-and-barley' };
    const act = statusesAround((it) => it.ada.client.api.v2.users.me.password.put(change));
    expect(await act).toEqual([200, 401]);
  });

  test('with a password reset, also for a verified address', async () => {
    const act = statusesAround(async ({ t, ada }) => {
      const action = { user_id: ada.id, purpose: 'reset_password', email: ada.email } as const;
      const tokens = createActionTokens({ db: t.deps.db, now: t.deps.now });
      const token = await t.deps.db.write((tx) => tokens.issue(tx, action));
      const reset = { token, new_password: 'beets-and-barley' };
      expect((await t.client.api.v2.auth.password.reset.post(reset)).status).toBe(204);
    });
    expect(await act).toEqual([200, 401]);
  });

  // proves: sessions.an-admin-s-delete-users-id-sessions
  test('when an admin ends all sessions', async () => {
    expect(await statusesAround((it) => accountOf(it).sessions.delete())).toEqual([200, 401]);
  });

  // proves: sessions.deactivated-deleted
  test('with a deactivation, permanently', async () => {
    const act = statusesAround(async (it) => {
      await accountOf(it).patch({ is_active: false });
      await accountOf(it).patch({ is_active: true });
    });
    expect(await act).toEqual([200, 401]);
  });

  // proves: sessions.promoted-to-admin, sessions.demoted-to-user
  test.each(['admin', 'user'] as const)('when the role becomes %s', async (role) => {
    const act = statusesAround(async (it) => {
      if (role === 'user') {
        it.t.deps.db.client.run("UPDATE users SET role = 'admin'");
      }
      expect((await accountOf(it).patch({ role })).data).toMatchObject({ role });
    });
    expect(await act).toEqual([200, 401]);
  });

  // proves: sessions.delete-auth-sessions
  test('but not with a new username or the end of the other sessions', async () => {
    const act = statusesAround(async (it) => {
      await it.ada.client.api.v2.users.me.patch({ username: 'ada-2' });
      await it.ada.client.api.v2.auth.sessions.delete();
    });
    expect(await act).toEqual([200, 200]);
  });
});
