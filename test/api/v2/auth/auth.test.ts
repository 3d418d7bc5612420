import { describe, expect, test } from 'bun:test';
import { openSession, PASSWORD, type TestApp, testApp } from '../../../support.ts';
import { until } from '../../../until.ts';

const ada = { email: 'Ada@example.com', username: 'ada', password: 'beets-and-barley' };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function lastUsed({ deps }: TestApp, user_id: number): number {
  const session = deps.db.client.query('select last_used_at from sessions where user_id = ?');
  return Date.parse(String(session.values(user_id)[0]?.[0]));
}

describe('POST /auth/register', () => {
  test('creates an account, signs in and returns its location', async () => {
    await using t = await testApp();
    const response = await t.json('POST', '/api/v2/auth/register', ada);
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe('/api/v2/users/me');
    const { token, account } = (await response.json()) as { token: string; account: object };
    expect(account).toMatchObject({ email: 'Ada@example.com', role: 'user', has_password: true });
    expect((await t.clientFor(token).api.v2.users.me.get()).data).toEqual(account as never);
  });

  test('email_taken is 409', async () => {
    await using t = await testApp();
    await t.client.api.v2.auth.register.post(ada);
    const { status, error } = await t.client.api.v2.auth.register.post({ ...ada, username: 'b01' });
    expect(status).toBe(409);
    expect(error?.value).toMatchObject({ code: 'email_taken' } as never);
  });

  test('closed registration allows only admins', async () => {
    await using t = await testApp({ config: { registration: 'closed' } });
    expect((await t.client.api.v2.auth.register.post(ada)).status).toBe(401);
  });
});

describe('POST /auth/login', () => {
  test('signs in by email or username', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    for (const login of ['ada', 'ADA@example.com']) {
      const { data } = await t.client.api.v2.auth.login.post({ login, password: PASSWORD });
      expect(data?.account.username).toBe('ada');
    }
  });

  // proves: sign-in-methods.password-post-api-v2-auth-login-and-v1
  test('bad_credentials is the same problem for a wrong password and an unknown account', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const problem = async (login: string) => {
      const response = await t.json('POST', '/api/v2/auth/login', { login, password: 'wrong-one' });
      const { request_id: _, ...rest } = (await response.json()) as Record<string, unknown>;
      return { status: response.status, ...rest };
    };
    expect(await problem('ada')).toEqual(await problem('nobody'));
    expect(await problem('ada')).toMatchObject({ status: 401, code: 'bad_credentials' });
  });

  // proves: cryptography.passwords, 11.2.2
  test('replaces a hash that has weaker settings', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const bcrypt = await Bun.password.hash(PASSWORD, { algorithm: 'bcrypt', cost: 4 });
    t.deps.db.client.run('update users set password_hash = ?', [bcrypt]);
    const signIn = { login: 'ada', password: PASSWORD };
    expect((await t.client.api.v2.auth.login.post(signIn)).status).toBe(200);
    expect((await t.deps.users.findByLogin('ada'))?.password_hash).toStartWith('$argon2id$');
    expect((await t.client.api.v2.auth.login.post(signIn)).status).toBe(200);
  });
});

describe('sessions', () => {
  // proves: sessions.session-tokens-are-opaque-and-have-256-bits
  // proves: sessions.logout-delete-auth-sessions-id, 7.5.2
  test('are listed with the current one marked, and can be ended one by one', async () => {
    await using t = await testApp();
    const first = await t.signUp('ada');
    const { data } = await t.client.api.v2.auth.login.post({ login: 'ada', password: PASSWORD });
    const second = t.clientFor(data?.token);
    const list = (await second.api.v2.auth.sessions.get()).data?.data ?? [];
    expect(list.map(({ is_current }) => is_current).toSorted()).toEqual([false, true]);
    const other = list.find(({ is_current }) => !is_current)?.id ?? 0;
    expect((await second.api.v2.auth.sessions({ session_id: other }).delete()).status).toBe(204);
    expect((await first.client.api.v2.users.me.get()).status).toBe(401);
    expect((await second.api.v2.users.me.get()).status).toBe(200);
  });

  // proves: permissions.sessions-tokens-passkeys-identities, 8.2.2
  test("somebody else's session is not_found, byte for byte like one that does not exist", async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const bob = await t.signUp('bob');
    const problem = async (id: number) => {
      const { token } = bob;
      const response = await t.request('DELETE', `/api/v2/auth/sessions/${id}`, { token });
      return (await response.text())
        .replace(/"request_id":"[^"]+"/, '')
        .replaceAll(String(id), 'N');
    };
    expect(await problem(1)).toBe(await problem(9));
  });

  // proves: sessions.logout-delete-auth-sessions-id, sessions.delete-auth-sessions, 7.4.1, 7.4.3
  test('logging out ends the current one, and the others can be ended together', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const logins = Array.from({ length: 3 }, () =>
      t.client.api.v2.auth.login.post({ login: 'ada', password: PASSWORD }),
    );
    const tokens = (await Promise.all(logins)).map(({ data }) => data?.token);
    expect((await ada.client.api.v2.auth.sessions.delete()).data).toEqual({ ended: 3 });
    for (const token of tokens) {
      expect((await t.clientFor(token).api.v2.users.me.get()).status).toBe(401);
    }
    expect((await ada.client.api.v2.auth.logout.post()).status).toBe(204);
    expect((await ada.client.api.v2.users.me.get()).status).toBe(401);
  });

  test.each([
    ['user', 7 * DAY_MS, 30 * DAY_MS],
    ['admin', HOUR_MS / 2, 8 * HOUR_MS],
    // proves: sessions.session-tokens-are-opaque-and-have-256-bits, 7.3.1, 7.3.2
  ] as const)(
    'of a %s expire after inactivity and at a maximum age',
    async (role, idleMs, absoluteMs) => {
      const start = Date.parse('2026-11-22T16:00:00.000Z');
      let now = start;
      await using t = await testApp({ now: () => new Date(now) });
      const isLive = async (token: string) =>
        (await t.clientFor(token).api.v2.users.me.get()).status === 200;
      const idle = await t.signUp('idle', role);
      now = start + idleMs - 1;
      expect(await isLive(idle.token)).toBe(true);
      const used = await openSession(t.deps, idle);
      now += idleMs;
      expect(await isLive(used)).toBe(false);

      now = start;
      const busy = await t.signUp('busy', role);
      for (; now < start + absoluteMs; now += idleMs / 2) {
        expect(await isLive(busy.token)).toBe(true);
        // The use is recorded in the background.
        await until(() => lastUsed(t, busy.id) === now);
      }
      now = start + absoluteMs;
      expect(await isLive(busy.token)).toBe(false);
    },
  );

  // proves: 7.3.1
  test('a promotion to admin shortens them immediately', async () => {
    const start = Date.parse('2026-11-22T16:00:00.000Z');
    let now = start;
    await using t = await testApp({ now: () => new Date(now) });
    const { client } = await t.signUp('ada');
    now = start + 9 * HOUR_MS;
    expect((await client.api.v2.users.me.get()).status).toBe(200);
    t.deps.db.client.run(`update users set role = 'admin'`);
    expect((await client.api.v2.users.me.get()).status).toBe(401);
  });
});
