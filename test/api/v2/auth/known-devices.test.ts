import { describe, expect, test } from 'bun:test';
import type { Config } from '../../../../src/core/config/config.ts';
import { NOBODY, nobodyAt, PASSWORD, type TestApp, testApp } from '../../../support.ts';

const LOGIN = '/api/v2/auth/login';
const own = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
const HOME = '203.0.113.7';

interface Ways {
  headers?: Record<string, string>;
  fields?: object;
}

/** Signs in to ada's account, or fails to. */
const signIn = (t: TestApp, password = PASSWORD, { headers = {}, fields = {} }: Ways = {}) =>
  t.request('POST', LOGIN, {
    headers: { ...own, ...headers },
    body: JSON.stringify({ login: 'ada', password, ...fields }),
  });

/** A stranger's wrong passwords, until the account waits. */
async function attack(t: TestApp, logins = ['ada']): Promise<number> {
  let judged = 0;
  for (let attempt = 0; attempt < 30; attempt++) {
    const login = logins[attempt % logins.length];
    const answer = await t.json('POST', LOGIN, { login, password: 'not-the-password' });
    if (answer.status === 401) judged++;
  }
  return judged;
}

/** `name=value` of the cookies that an answer sets. */
const cookiesOf = (answer: Response) =>
  answer.headers.getSetCookie().map((it) => it.split(';')[0] ?? '');

const deviceCookie = (answer: Response) =>
  cookiesOf(answer).find((it) => it.startsWith('hutch_device=')) ?? '';

/** Ada's account, and the answer to her first sign-in on a device. */
async function withAda(fields: object = {}, config: Partial<Config> = {}) {
  const t = await testApp({ config });
  const ada = await t.signUp('ada');
  const answer = await signIn(t, PASSWORD, { fields });
  expect(answer.status).toBe(200);
  return { t, ada, answer, [Symbol.asyncDispose]: t[Symbol.asyncDispose] };
}

async function reset(t: TestApp, headers: Record<string, string> = own): Promise<Response> {
  await t.deps.passwordRecovery.request(NOBODY, 'ada');
  await t.deps.passwordRecovery.idle();
  const [mail] = t.deps.db.client
    .query(`select text from mails where subject like '%password%' order by id desc`)
    .all() as { text: string }[];
  const token = mail?.text.match(/token=([\w-]{43})/)?.[1];
  return t.request('POST', '/api/v2/auth/password/reset', {
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ token, new_password: 'another-straw-1' }),
  });
}

describe('while a stranger guesses the password of an account', () => {
  // proves: limits.guessing-and-lockout, 6.3.1
  test('5 of the guesses are judged, whichever of its names they use', async () => {
    await using it = await withAda();
    expect(await attack(it.t, ['ada', 'ADA', 'ada@example.com', 'ａｄａ', 'Ada@Example.com'])).toBe(
      5,
    );
  });

  // proves: limits.guessing-and-lockout
  test('a login of no account waits in the same way', async () => {
    await using it = await withAda();
    expect(await attack(it.t, ['nobody', 'NOBODY', 'ｎobody'])).toBe(5);
  });

  // proves: limits.a-new-device-in-an-unknown-network-may
  test('a device that nobody knows is refused', async () => {
    await using it = await withAda();
    await attack(it.t);
    expect((await signIn(it.t)).status).toBe(429);
  });

  // proves: limits.a-known-device, 6.3.1
  test('the browser of its owner signs in, by the device cookie alone', async () => {
    await using it = await withAda({ transport: 'cookie' });
    const cookie = deviceCookie(it.answer);
    await attack(it.t);
    const again = await signIn(it.t, PASSWORD, { headers: { cookie } });
    expect(again.status).toBe(200);
  });

  // proves: limits.a-known-device
  test('a client of its owner signs in, by the device token', async () => {
    await using it = await withAda();
    const { device_token } = (await it.answer.json()) as { device_token: string };
    await attack(it.t);
    const again = await signIn(it.t, PASSWORD, { fields: { device_token } });
    expect(again.status).toBe(200);
  });

  test.each(['/api/v2/auth/login', '/api/v1/login/access-token'])(
    // proves: limits.a-live-session
    'a client that has a session signs in again by it: %s',
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
  test('a client in a network that has signed in signs in, and from elsewhere is refused', async () => {
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
  test('its owner, signed in, changes the password, sets up an authenticator and a passkey', async () => {
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
  test('the browser that reset the password signs in, though the guessing goes on', async () => {
    await using it = await withAda();
    await attack(it.t);
    const cookie = deviceCookie(await reset(it.t));
    await attack(it.t);
    const answer = await signIn(it.t, 'another-straw-1', { headers: { cookie } });
    expect(answer.status).toBe(200);
  });
});

describe('a known device', () => {
  // proves: limits.failed-sign-ins-from-each-known-device-known, limits.and-a-stolen-device-token
  test('has 5 wrong passwords of its own, and then waits', async () => {
    await using it = await withAda();
    const { device_token } = (await it.answer.json()) as { device_token: string };
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      statuses.push((await signIn(it.t, 'wrong-one', { fields: { device_token } })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    expect((await signIn(it.t)).status).toBe(200);
  });

  // proves: limits.and-a-stolen-device-token
  test('is known to its own account alone', async () => {
    await using it = await withAda();
    await it.t.signUp('bob');
    const bob = await it.t.json('POST', LOGIN, { login: 'bob', password: PASSWORD });
    const { device_token } = (await bob.json()) as { device_token: string };
    await attack(it.t);
    expect((await signIn(it.t, PASSWORD, { fields: { device_token } })).status).toBe(429);
  });

  test.each([
    ['a letter of the name', (token: string) => token.replace(/\.(.)/, (_, c) => `.${other(c)}`)],
    [
      'a letter of the signature',
      (token: string) => token.replace(/.(.)$/, (_, c) => `x${other(c)}`),
    ],
    ['the account', (token: string) => token.replace(/^\d+/, '2')],
    // proves: cryptography.device-tokens
  ])('is not known by a token of which %s is changed', async (_, change) => {
    await using it = await withAda();
    const { device_token } = (await it.answer.json()) as { device_token: string };
    await attack(it.t);
    const fields = { device_token: change(device_token) };
    expect((await signIn(it.t, PASSWORD, { fields })).status).toBe(429);
  });

  // proves: limits.a-known-device
  test('is forgotten after a year', async () => {
    let at = Date.now();
    await using t = await testApp({ now: () => new Date(at) });
    await t.signUp('ada');
    const { device_token } = (await (await signIn(t)).json()) as { device_token: string };
    at += 366 * 86_400_000;
    await attack(t);
    expect((await signIn(t, PASSWORD, { fields: { device_token } })).status).toBe(429);
  });

  // proves: limits.and-a-stolen-device-token
  test('is forgotten when the password is changed, but for the one that changes it', async () => {
    await using it = await withAda({ transport: 'cookie' });
    const elsewhere = deviceCookie(
      await signIn(it.t, PASSWORD, { fields: { transport: 'cookie' } }),
    );
    const changed = await it.t.request('PUT', '/api/v2/users/me/password', {
      headers: { ...own, cookie: cookiesOf(it.answer).join('; ') },
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
    const headers = { cookie: deviceCookie(it.answer) };
    expect((await signIn(it.t, 'another-straw-1', { headers })).status).toBe(429);
  });
});

describe('the device cookie', () => {
  // proves: limits.a-known-device
  test('is one that no script reads, beside that of the session', async () => {
    await using it = await withAda({ transport: 'cookie' });
    const cookies = it.answer.headers.getSetCookie();
    expect(cookies).toHaveLength(2);
    expect(cookies[1]).toMatch(
      /^hutch_device=\d+\.[\w-]{22}\.[\w-]{43}; Path=\/; Max-Age=31536000; HttpOnly; SameSite=Lax$/,
    );
  });

  // proves: limits.a-known-device
  test('is __Host- and Secure behind https', async () => {
    const publicUrl = 'https://api.example.com';
    await using it = await withAda({ transport: 'cookie' }, { publicUrl });
    expect(it.answer.headers.getSetCookie()[1]).toMatch(
      /^__Host-hutch-device=[^;]+; Path=\/; .*Secure; HttpOnly/,
    );
  });

  test('keeps a token for each of the accounts of a browser', async () => {
    await using it = await withAda({ transport: 'cookie' });
    await it.t.signUp('bob');
    const bob = await it.t.request('POST', LOGIN, {
      headers: { ...own, cookie: deviceCookie(it.answer) },
      body: JSON.stringify({ login: 'bob', password: PASSWORD, transport: 'cookie' }),
    });
    await attack(it.t);
    const headers = { cookie: deviceCookie(bob) };
    expect((await signIn(it.t, PASSWORD, { headers })).status).toBe(200);
    const again = await signIn(it.t, PASSWORD, { headers, fields: { transport: 'cookie' } });
    expect(deviceCookie(again).split('~')).toHaveLength(2);
  });

  test('is not set by what the page of another site sends', async () => {
    await using it = await withAda();
    const answer = await reset(it.t, { 'sec-fetch-site': 'cross-site' });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([204, []]);
  });

  test('stays when its owner signs out', async () => {
    await using it = await withAda({ transport: 'cookie' });
    const out = await it.t.request('POST', '/api/v2/auth/logout', {
      headers: { ...own, cookie: cookiesOf(it.answer).join('; ') },
    });
    expect(cookiesOf(out)).toEqual(['hutch_session=']);
  });
});

/** Another letter of base64url. */
function other(letter: string): string {
  return letter === 'A' ? 'B' : 'A';
}
