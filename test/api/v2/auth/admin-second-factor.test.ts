import { describe, expect, test } from 'bun:test';
import { Secret, TOTP } from 'otpauth';
import type { Config } from '../../../../src/core/config/config.ts';
import { outsidersApp, person } from '../../../outsiders.ts';
import { openSession, PASSWORD, type TestApp, testApp } from '../../../support.ts';

const PUBLIC = { publicUrl: 'https://api.example.com' };
const host = { host: 'api.example.com' };

/** An app with a clock, and an admin with a session without a second factor. */
async function withRoot(config: Partial<Config> = PUBLIC) {
  const clock = { now: Date.parse('2026-11-22T16:00:00.000Z') };
  const t = await testApp({ config, now: () => new Date(clock.now) });
  const root = await t.signUp('root', 'admin');
  const token = await openSession(t.deps, root);
  const request = async (
    method: string,
    path: string,
    body?: object,
    ownToken: string | undefined = token,
  ) => {
    const headers = { ...(config.publicUrl && host), 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await t.request(method, path, {
      headers,
      ...(ownToken && { token: ownToken }),
      ...sent,
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
  };
  return { t, root, request, clock, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}
type Scene = Awaited<ReturnType<typeof withRoot>>;

/** Sets up an authenticator and returns a function that generates its codes. */
async function setUpTotp({ request, clock }: Scene, own?: string) {
  const started = await request('POST', '/api/v2/auth/totp', { password: PASSWORD }, own);
  expect(started.status).toBe(200);
  const totp = new TOTP({ secret: Secret.fromBase32(started.body.secret) });
  const code = () => {
    clock.now += 30_000;
    return totp.generate({ timestamp: clock.now });
  };
  expect((await request('POST', '/api/v2/auth/totp/confirm', { code: code() }, own)).status).toBe(
    200,
  );
  return { code };
}

function addPasskey({ deps }: TestApp, user_id: number): void {
  deps.db.client.run(
    `INSERT INTO passkeys (user_id, credential_id, public_key, counter, transports, name, created_at)
     VALUES (?, 'credential', x'00', 0, '[]', 'laptop', '2026-11-22T16:00:00.000Z')`,
    [user_id],
  );
}

/** The routes that an admin needs to set up a second factor. */
const ALLOWED = [
  ['GET', '/api/v2/users/me'],
  ['GET', '/api/v2/auth/totp'],
  ['GET', '/api/v2/auth/passkeys'],
];

const REFUSED: [string, string, object | undefined][] = [
  ['GET', '/api/v1/users/', undefined],
  ['GET', '/api/v1/users/1', undefined],
  ['POST', '/api/v1/items/', { title: 'a' }],
  ['GET', '/api/v2/users', undefined],
  ['PATCH', '/api/v2/users/1', { username: 'roots' }],
  ['GET', '/api/v2/audit-log', undefined],
  ['GET', '/api/v2/system/stats', undefined],
  ['GET', '/api/v2/items', undefined],
  ['GET', '/api/v2/users/me/export', undefined],
  ['POST', '/api/v2/tokens', { name: 'x', scopes: ['admin'], password: PASSWORD }],
  ['DELETE', '/api/v2/auth/sessions', undefined],
  ['DELETE', '/api/v2/auth/totp', { password: PASSWORD }],
];

describe('an admin without a second factor, behind a public URL', () => {
  // proves: sign-in-methods.admins, 6.3.3
  test.each(REFUSED)('may not %s %s', async (method, path, body) => {
    await using it = await withRoot();
    const response = await it.request(method, path, body);
    expect(response.status).toBe(403);
    const what = path.includes('/v2/') ? response.body.code : response.body.detail;
    expect(what).toMatch(/second.factor/);
  });

  test.each(ALLOWED)('may %s %s', async (method, path) => {
    await using it = await withRoot();
    expect((await it.request(String(method), String(path))).status).toBe(200);
  });

  test('may sign out', async () => {
    await using it = await withRoot();
    expect((await it.request('POST', '/api/v2/auth/logout')).status).toBe(204);
  });

  // proves: sign-in-methods.admins, 6.3.3
  test('has full access as soon as an authenticator is enabled', async () => {
    await using it = await withRoot();
    await setUpTotp(it);
    expect((await it.request('GET', '/api/v2/users')).status).toBe(200);
  });

  // proves: sign-in-methods.admins, 6.3.3
  test('has the same restrictions after a v1 sign-in', async () => {
    await using it = await withRoot();
    const body = new URLSearchParams({ username: 'root', password: PASSWORD });
    const path = '/api/v1/login/access-token';
    const response = await it.t.request('POST', path, { body, headers: host });
    const { access_token } = (await response.json()) as { access_token: string };
    expect((await it.request('GET', '/api/v1/users/', undefined, access_token)).status).toBe(403);
  });

  // proves: sessions.second-factor-turned-off
  test('is restricted again once the second factor is removed', async () => {
    await using it = await withRoot();
    await setUpTotp(it);
    const proof = { password: PASSWORD };
    expect((await it.request('DELETE', '/api/v2/auth/totp', proof)).status).toBe(204);
    expect((await it.request('GET', '/api/v2/users')).status).toBe(403);
  });
});

describe('an admin with an authenticator, behind a public URL', () => {
  test('has full access after a sign-in with a code', async () => {
    await using it = await withRoot();
    const { code } = await setUpTotp(it);
    const login = { login: 'root', password: PASSWORD, code: code() };
    const { body } = await it.request('POST', '/api/v2/auth/login', login, '');
    expect((await it.request('GET', '/api/v2/users', undefined, body.token)).status).toBe(200);
  });

  test('can prove it later in a session that was opened without it', async () => {
    await using it = await withRoot();
    const { code } = await setUpTotp(it);
    const bare = await openSession(it.t.deps, it.root);
    expect((await it.request('GET', '/api/v2/users', undefined, bare)).status).toBe(403);
    const prove = (value: string) =>
      it.request('POST', '/api/v2/auth/second-factor', { code: value }, bare);
    expect((await prove('000000')).status).toBe(401);
    expect((await prove(code())).status).toBe(204);
    expect((await it.request('GET', '/api/v2/users', undefined, bare)).status).toBe(200);
  });

  test('has the same limit for wrong codes as for wrong passwords', async () => {
    await using it = await withRoot();
    await setUpTotp(it);
    const statuses: number[] = [];
    for (let guess = 0; guess < 7; guess++) {
      const code = String(100_000 + guess);
      statuses.push((await it.request('POST', '/api/v2/auth/second-factor', { code })).status);
    }
    expect(statuses.at(-1)).toBe(429);
  });
});

// proves: 6.3.3
test('a session with only a password cannot add a factor to an admin with a passkey', async () => {
  await using it = await withRoot();
  addPasskey(it.t, it.root.id);
  const started = await it.request('POST', '/api/v2/auth/totp', { password: PASSWORD });
  expect([started.status, started.body.code]).toEqual([403, 'second_factor_missing']);
  const passkey = await it.request('POST', '/api/v2/auth/passkeys/options', { password: PASSWORD });
  expect([passkey.status, passkey.body.code]).toEqual([403, 'second_factor_missing']);
});

// proves: 6.3.3
test('a provider is one factor: an admin who signs in with it must prove a second one', async () => {
  await using o = await outsidersApp();
  const root = await o.t.signUp('root', 'admin');
  await o.link(root.client, person('root'), PASSWORD);
  const { data } = await o.signIn(person('root'));
  const client = o.t.clientFor(data?.token);
  expect((await client.api.v2.users.get({ query: {} })).status).toBe(403);
});

test.each([
  [{}, 200],
  [PUBLIC, 403],
  [{ ...PUBLIC, adminSecondFactor: 'optional' }, 200],
  [{ adminSecondFactor: 'required' }, 403],
] as [Partial<Config>, number][])(
  'with %p the list of accounts returns %p',
  async (config, status) => {
    await using it = await withRoot(config);
    expect((await it.request('GET', '/api/v2/users')).status).toBe(status);
  },
);

// proves: sign-in-methods.admins
test('users and access tokens of admins need no second factor', async () => {
  await using it = await withRoot();
  const ada = await it.t.signUp('ada');
  expect((await it.request('GET', '/api/v2/users/me/export', undefined, ada.token)).status).toBe(
    200,
  );
  const options = { name: 'ci', scopes: ['admin'] };
  const { token } = await it.t.deps.accessTokens.create(it.root, options);
  expect((await it.request('GET', '/api/v2/users', undefined, token)).status).toBe(200);
});

// proves: sessions.promoted-to-admin
test('an account that becomes an admin must sign in again', async () => {
  await using it = await withRoot({});
  const ada = await it.t.signUp('ada');
  const path = `/api/v2/users/${ada.id}`;
  expect((await it.request('PATCH', path, { role: 'admin' })).body.role).toBe('admin');
  expect((await it.request('GET', '/api/v2/users/me', undefined, ada.token)).status).toBe(401);
});
