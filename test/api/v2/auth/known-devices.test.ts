import { describe, expect, test } from 'bun:test';
import type { Config } from '../../../../src/core/config/config.ts';
import { queued, tokenIn } from '../../../smtp.ts';
import { NOBODY, nobodyAt, PASSWORD, type TestApp, testApp } from '../../../support.ts';

const LOGIN = '/api/v2/auth/login';
const sameOrigin = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
const HOME = '203.0.113.7';

interface Options {
  headers?: Record<string, string>;
  fields?: object;
}

/** Tries to sign in to ada's account. */
const signIn = (t: TestApp, password = PASSWORD, { headers = {}, fields = {} }: Options = {}) =>
  t.request('POST', LOGIN, {
    headers: { ...sameOrigin, ...headers },
    body: JSON.stringify({ login: 'ada', password, ...fields }),
  });

/** Sends wrong passwords as a stranger; returns the number that were checked. */
async function attack(t: TestApp, logins = ['ada']): Promise<number> {
  let checked = 0;
  for (let attempt = 0; attempt < 30; attempt++) {
    const login = logins[attempt % logins.length];
    const response = await t.json('POST', LOGIN, { login, password: 'not-the-password' });
    if (response.status === 401) checked++;
  }
  return checked;
}

/** The cookies that a response sets, as `name=value`. */
const cookiesOf = (response: Response) =>
  response.headers.getSetCookie().map((it) => it.split(';')[0] ?? '');

const deviceCookie = (response: Response) =>
  cookiesOf(response).find((it) => it.startsWith('hutch_device=')) ?? '';

/** Ada's account, and the response to her first sign-in on a device. */
async function withAda(fields: object = {}, config: Partial<Config> = {}) {
  const t = await testApp({ config });
  const ada = await t.signUp('ada');
  const response = await signIn(t, PASSWORD, { fields });
  expect(response.status).toBe(200);
  return { t, ada, response, [Symbol.asyncDispose]: t[Symbol.asyncDispose] };
}

async function reset(t: TestApp, headers: Record<string, string> = sameOrigin): Promise<Response> {
  await t.deps.passwordRecovery.request(NOBODY, 'ada');
  await t.deps.passwordRecovery.idle();
  const mail = (await queued(t)).findLast(({ subject }) => subject.includes('password'));
  const token = tokenIn(mail?.text ?? '');
  return t.request('POST', '/api/v2/auth/password/reset', {
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ token, new_password: 'another-straw-1' }),
  });
}

describe('while a stranger guesses the password of an account', () => {
  // proves: limits.guessing-and-lockout, 6.3.1
  test('5 guesses are checked, regardless of the login that they use', async () => {
    await using it = await withAda();
    expect(await attack(it.t, ['ada', 'ADA', 'ada@example.com', 'ａｄａ', 'Ada@Example.com'])).toBe(
      5,
    );
  });

  // proves: limits.guessing-and-lockout
  test('a login without an account is limited in the same way', async () => {
    await using it = await withAda();
    expect(await attack(it.t, ['nobody', 'NOBODY', 'ｎobody'])).toBe(5);
  });

  // proves: limits.a-new-device-in-an-unknown-network-may
  test('an unknown device is refused', async () => {
    await using it = await withAda();
    await attack(it.t);
    expect((await signIn(it.t)).status).toBe(429);
  });

  // proves: limits.a-known-device, 6.3.1
  test('the browser of the owner signs in with only its device cookie', async () => {
    await using it = await withAda({ transport: 'cookie' });
    const cookie = deviceCookie(it.response);
    await attack(it.t);
    const again = await signIn(it.t, PASSWORD, { headers: { cookie } });
    expect(again.status).toBe(200);
  });

  // proves: limits.a-known-device
  test('a client of the owner signs in with its device token', async () => {
    await using it = await withAda();
    const { device_token } = (await it.response.json()) as { device_token: string };
    await attack(it.t);
    const again = await signIn(it.t, PASSWORD, { fields: { device_token } });
    expect(again.status).toBe(200);
  });

  test.each(['/api/v2/auth/login', '/api/v1/login/access-token'])(
    // proves: limits.a-live-session
    'a client with a session signs in again: %s',
    async (path) => {
      await using it = await withAda();
      await attack(it.t);
      const body =
        path === LOGIN
          ? JSON.stringify({ login: 'ada', password: PASSWORD })
          : new URLSearchParams({ username: 'ada', password: PASSWORD });
      const headers = path === LOGIN ? { 'content-type': 'application/json' } : {};
      const { token } = it.ada;
      expect((await it.t.request('POST', path, { body, headers, token })).status).toBe(200);
    },
  );

  // proves: limits.failed-sign-ins-from-each-known-device-known
  // proves: limits.a-network-from-which-the-account-has-a
  test('a client in a network with an earlier sign-in signs in, and one from elsewhere is refused', async () => {
    await using it = await withAda();
    const { auth } = it.t.deps;
    await auth.login(nobodyAt(HOME), { login: 'ada', password: PASSWORD });
    await attack(it.t);
    const login = (address: string) =>
      auth.login(nobodyAt(address), { login: 'ada', password: PASSWORD }).then(
        () => 'done',
        ({ code }) => code,
      );
    expect([await login(HOME), await login('198.51.100.1')]).toEqual(['done', 'too_many_requests']);
  });

  // proves: limits.the-password-or-code-that-a-signed-in
  test('the signed-in owner changes the password and sets up an authenticator and a passkey', async () => {
    await using it = await withAda({}, { publicUrl: 'https://api.example.com' });
    await attack(it.t);
    const { client } = it.ada;
    const proof = { password: PASSWORD };
    const next = { current_password: PASSWORD, new_password: 'another-straw-1' };
    const change = { new_email: 'new@example.com', password: PASSWORD };
    const statuses = [
      (await client.api.v2.auth.totp.post(proof)).status,
      (await client.api.v2.auth.passkeys.options.post(proof)).status,
      (await client.api.v2.users.me.email.post(change)).status,
      (await client.api.v2.users.me.password.put(next)).status,
      (await client.api.v2.users.me.delete({ password: 'another-straw-1' })).status,
    ];
    expect(statuses).toEqual([200, 200, 202, 204, 204]);
  });

  // proves: limits.failed-sign-ins-password-or-code-per-account
  // proves: limits.a-new-device-in-an-unknown-network-may, 6.3.1
  test('a reset by mail lets any device sign in', async () => {
    await using it = await withAda();
    await attack(it.t);
    expect((await reset(it.t)).status).toBe(204);
    expect((await signIn(it.t, 'another-straw-1')).status).toBe(200);
  });

  // proves: limits.a-known-device
  test('the browser that reset the password signs in while the guessing continues', async () => {
    await using it = await withAda();
    await attack(it.t);
    const cookie = deviceCookie(await reset(it.t));
    await attack(it.t);
    const response = await signIn(it.t, 'another-straw-1', { headers: { cookie } });
    expect(response.status).toBe(200);
  });
});

describe('a known device', () => {
  // proves: limits.failed-sign-ins-from-each-known-device-known, limits.and-a-stolen-device-token
  test('has its own limit of 5 wrong passwords', async () => {
    await using it = await withAda();
    const { device_token } = (await it.response.json()) as { device_token: string };
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      statuses.push((await signIn(it.t, 'wrong-one', { fields: { device_token } })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    expect((await signIn(it.t)).status).toBe(200);
  });

  // proves: limits.and-a-stolen-device-token
  test('is known only for its own account', async () => {
    await using it = await withAda();
    await it.t.signUp('bob');
    const bob = await it.t.json('POST', LOGIN, { login: 'bob', password: PASSWORD });
    const { device_token } = (await bob.json()) as { device_token: string };
    await attack(it.t);
    expect((await signIn(it.t, PASSWORD, { fields: { device_token } })).status).toBe(429);
  });

  test.each([
    ['a letter in the name', (token: string) => token.replace(/\.(.)/, (_, c) => `.${other(c)}`)],
    [
      'a letter in the signature',
      (token: string) => token.replace(/.(.)$/, (_, c) => `x${other(c)}`),
    ],
    ['the account', (token: string) => token.replace(/^\d+/, '2')],
    // proves: cryptography.device-tokens
  ])('is not recognised if %s of its token is changed', async (_, change) => {
    await using it = await withAda();
    const { device_token } = (await it.response.json()) as { device_token: string };
    await attack(it.t);
    const fields = { device_token: change(device_token) };
    expect((await signIn(it.t, PASSWORD, { fields })).status).toBe(429);
  });

  // proves: limits.a-known-device
  test('expires after a year', async () => {
    let at = Date.now();
    await using t = await testApp({ now: () => new Date(at) });
    await t.signUp('ada');
    const { device_token } = (await (await signIn(t)).json()) as { device_token: string };
    at += 366 * 86_400_000;
    await attack(t);
    expect((await signIn(t, PASSWORD, { fields: { device_token } })).status).toBe(429);
  });

  // proves: limits.and-a-stolen-device-token
  test('is forgotten when the password is changed, except the one that changes it', async () => {
    await using it = await withAda({ transport: 'cookie' });
    const elsewhere = deviceCookie(
      await signIn(it.t, PASSWORD, { fields: { transport: 'cookie' } }),
    );
    const changed = await it.t.request('PUT', '/api/v2/users/me/password', {
      headers: { ...sameOrigin, cookie: cookiesOf(it.response).join('; ') },
      body: JSON.stringify({ current_password: PASSWORD, new_password: 'another-straw-1' }),
    });
    await attack(it.t);
    const status = async (cookie: string) =>
      (await signIn(it.t, 'another-straw-1', { headers: { cookie } })).status;
    expect([await status(elsewhere), await status(deviceCookie(changed))]).toEqual([429, 200]);
  });

  // proves: limits.and-a-stolen-device-token, cryptography.device-tokens
  test('is forgotten when the password is reset', async () => {
    await using it = await withAda({ transport: 'cookie' });
    await reset(it.t);
    await attack(it.t);
    const headers = { cookie: deviceCookie(it.response) };
    expect((await signIn(it.t, 'another-straw-1', { headers })).status).toBe(429);
  });
});

describe('the device cookie', () => {
  // proves: limits.a-known-device
  test('is HttpOnly and separate from the session cookie', async () => {
    await using it = await withAda({ transport: 'cookie' });
    const cookies = it.response.headers.getSetCookie();
    expect(cookies).toHaveLength(2);
    expect(cookies[1]).toMatch(
      /^hutch_device=\d+\.[\w-]{22}\.[\w-]{43}; Path=\/; Max-Age=31536000; HttpOnly; SameSite=Lax$/,
    );
  });

  // proves: limits.a-known-device
  test('has the __Host- prefix and is Secure behind https', async () => {
    const publicUrl = 'https://api.example.com';
    await using it = await withAda({ transport: 'cookie' }, { publicUrl });
    expect(it.response.headers.getSetCookie()[1]).toMatch(
      /^__Host-hutch-device=[^;]+; Path=\/; .*Secure; HttpOnly/,
    );
  });

  test('contains a token for each account of a browser', async () => {
    await using it = await withAda({ transport: 'cookie' });
    await it.t.signUp('bob');
    const bob = await it.t.request('POST', LOGIN, {
      headers: { ...sameOrigin, cookie: deviceCookie(it.response) },
      body: JSON.stringify({ login: 'bob', password: PASSWORD, transport: 'cookie' }),
    });
    await attack(it.t);
    const headers = { cookie: deviceCookie(bob) };
    expect((await signIn(it.t, PASSWORD, { headers })).status).toBe(200);
    const again = await signIn(it.t, PASSWORD, { headers, fields: { transport: 'cookie' } });
    expect(deviceCookie(again).split('~')).toHaveLength(2);
  });

  test('is not set by a request from the page of another site', async () => {
    await using it = await withAda();
    const response = await reset(it.t, { 'sec-fetch-site': 'cross-site' });
    expect([response.status, response.headers.getSetCookie()]).toEqual([204, []]);
  });

  test('remains when the owner signs out', async () => {
    await using it = await withAda({ transport: 'cookie' });
    const out = await it.t.request('POST', '/api/v2/auth/logout', {
      headers: { ...sameOrigin, cookie: cookiesOf(it.response).join('; ') },
    });
    expect(cookiesOf(out)).toEqual(['hutch_session=']);
  });
});

/** Returns a different base64url letter. */
function other(letter: string): string {
  return letter === 'A' ? 'B' : 'A';
}
