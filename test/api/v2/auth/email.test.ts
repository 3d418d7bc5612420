import { describe, expect, test } from 'bun:test';
import { mailedToken, queued } from '../../../smtp.ts';
import { PASSWORD, testApp } from '../../../support.ts';

const NEW_PASSWORD = 'beets-and-barley';
const ada = { email: 'ada@example.com', username: 'ada', password: NEW_PASSWORD };

/** Returns a response without the parts that differ between requests. */
async function shape(response: Response) {
  const ignored = new Set(['x-request-id', 'date', 'ratelimit']);
  const headers = [...response.headers].filter(([name]) => !ignored.has(name));
  return { status: response.status, headers, body: await response.text() };
}

describe('signing up', () => {
  test('queues a verification mail', async () => {
    await using t = await testApp();
    expect((await t.client.api.v2.auth.register.post(ada)).status).toBe(201);
    expect(await queued(t)).toMatchObject([{ recipient: ada.email }]);
  });

  test('that fails queues no mail', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    expect((await t.client.api.v2.auth.register.post(ada)).status).toBe(409);
    expect(await queued(t)).toEqual([]);
  });

  test('in v1 queues no mail', async () => {
    await using t = await testApp();
    expect((await t.client.api.v1.users.post({ ...ada })).status).toBe(200);
    expect(await queued(t)).toEqual([]);
  });
});

describe('with required email verification', () => {
  const config = { emailVerification: 'required' } as const;

  // proves: sign-in-methods.a-sign-up-reveals-it-by-default-409
  test('signing up has the same response whether or not the email or username is taken', async () => {
    await using t = await testApp({ config });
    await t.signUp('known');
    const register = async (email: string, username: string) =>
      shape(await t.json('POST', '/api/v2/auth/register', { ...ada, email, username }));
    const responses = [
      await register('new@example.com', 'new'),
      await register('KNOWN@example.com', 'other'),
      await register('third@example.com', 'known'),
      await register('known@example.com', 'known'),
    ];
    expect(responses[0]?.status).toBe(202);
    for (const response of responses)
      expect(response).toEqual(responses[0] as (typeof responses)[0]);
  });

  // proves: sign-in-methods.a-sign-up-reveals-it-by-default-409
  test('signing up in v1 is refused in the same way whether or not the email or username is taken', async () => {
    await using t = await testApp({ config });
    await t.signUp('known');
    const register = async (email: string, username: string) =>
      shape(await t.json('POST', '/api/v1/users/', { ...ada, email, username }));
    const first = await register('new@example.com', 'new');
    expect(first.status).toBe(403);
    expect(await register('KNOWN@example.com', 'other')).toEqual(first);
    expect(await register('third@example.com', 'known')).toEqual(first);
    expect(t.deps.db.client.query('select username from users').values()).toEqual([['known']]);
  });

  test('an admin can create accounts in v1 while registration is closed', async () => {
    await using t = await testApp({ config: { ...config, registration: 'closed' } });
    const { client } = await t.signUp('root', 'admin');
    expect((await client.api.v1.users.post({ ...ada })).status).toBe(200);
  });

  test('the mail of a sign-up reports its outcome', async () => {
    await using t = await testApp({ config });
    await t.signUp('known');
    t.deps.db.client.run('update users set email_verified_at = created_at');
    await t.client.api.v2.auth.register.post(ada);
    await t.client.api.v2.auth.register.post({ ...ada, email: 'known@example.com' });
    await t.client.api.v2.auth.register.post({ ...ada, email: 'third@example.com' });
    const mails = (await queued(t)).map(({ recipient, subject }) => [recipient, subject]);
    expect(mails).toEqual([
      ['ada@example.com', 'Confirm your email address'],
      ['known@example.com', 'You already have an account'],
      ['third@example.com', 'Choose another username'],
    ]);
  });

  test('a second sign-up sends another link and does not change the first password', async () => {
    await using t = await testApp({ config });
    await t.client.api.v2.auth.register.post(ada);
    await t.client.api.v2.auth.register.post({ ...ada, password: 'another-password' });
    const token = await mailedToken(t, ada.email);
    const confirm = t.client.api.v2.auth.verification.confirm;
    const { data } = await confirm.post({ token, password: NEW_PASSWORD });
    expect(data).toEqual({ kept: true, reset_token: null });
  });

  // proves: sign-in-methods.password-post-api-v2-auth-login-and-v1
  test('signing in is email_unverified, but only with the correct password', async () => {
    await using t = await testApp({ config });
    await t.client.api.v2.auth.register.post(ada);
    const login = (password: string) => t.client.api.v2.auth.login.post({ login: 'ada', password });
    expect((await login('wrong-password')).error?.value).toMatchObject({ code: 'bad_credentials' });
    const { error, status } = await login(NEW_PASSWORD);
    expect([status, error?.value]).toMatchObject([403, { code: 'email_unverified' }]);
    const token = await mailedToken(t, ada.email);
    await t.client.api.v2.auth.verification.confirm.post({ token, password: NEW_PASSWORD });
    expect((await login(NEW_PASSWORD)).status).toBe(200);
  });

  // proves: 6.3.4
  test('v1 does not bypass it', async () => {
    await using t = await testApp({ config });
    await t.client.api.v1.users.post({ ...ada });
    const signIn = () =>
      t.request('POST', '/api/v1/login/access-token', {
        body: new URLSearchParams({ username: 'ada', password: ada.password }),
      });
    expect((await signIn()).status).toBe(400);
    await t.client.api.v2.auth.register.post(ada);
    const token = await mailedToken(t, ada.email);
    const { password } = ada;
    await t.client.api.v2.auth.verification.confirm.post({ token, password });
    expect((await signIn()).status).toBe(200);
  });

  test('an admin whom the operator created signs in without it', async () => {
    await using t = await testApp({ config });
    await t.signUp('root', 'admin');
    const login = { login: 'root', password: PASSWORD };
    expect((await t.client.api.v2.auth.login.post(login)).status).toBe(200);
  });
});

describe('a forgotten password', () => {
  // proves: sign-in-methods.whether-an-address-has-an-account
  test('has the same response for known, unknown and inactive accounts, even beyond the limit', async () => {
    await using t = await testApp({ config: { limitMails: 1 } });
    await t.signUp('known');
    await t.signUp('gone');
    t.deps.db.client.run(`update users set is_active = 0 where username = 'gone'`);
    const forgot = async (login: string) =>
      shape(await t.json('POST', '/api/v2/auth/password/forgot', { login }));
    const first = await forgot('unknown@example.com');
    expect(first.status).toBe(202);
    for (const login of ['known@example.com', 'KNOWN', 'known', 'gone', 'unknown']) {
      expect(await forgot(login)).toEqual(first);
    }
    expect(await queued(t)).toHaveLength(1);
  });

  test('is reset with the token of the mail, once', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    await t.client.api.v2.auth.password.forgot.post({ login: 'ada' });
    const token = await mailedToken(t, ada.email);
    const reset = () =>
      t.json('POST', '/api/v2/auth/password/reset', { token, new_password: NEW_PASSWORD });
    const response = await reset();
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect((await reset()).status).toBe(400);
    const login = { login: 'ada', password: NEW_PASSWORD };
    expect((await t.client.api.v2.auth.login.post(login)).status).toBe(200);
  });

  test('an address that sends too many requests gets 429 with Retry-After', async () => {
    await using t = await testApp({ config: { limitMails: 1 } });
    t.app.listen({ port: 0, hostname: '127.0.0.1' });
    const url = `${t.app.server?.url}api/v2/auth/password/forgot`;
    const forgot = () =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ login: 'nobody' }),
      });
    expect((await forgot()).status).toBe(202);
    const response = await forgot();
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(3000);
    await t.app.stop(true);
  });
});

test('links in mails ignore the host headers of requests', async () => {
  for (const publicUrl of ['https://api.example.com', '']) {
    await using t = await testApp({ config: { publicUrl } });
    await t.signUp('ada');
    const forged = { host: 'evil.example', 'x-forwarded-host': 'evil.example' };
    for (const headers of [
      forged,
      { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' },
    ]) {
      await t.request('POST', '/api/v2/auth/password/forgot', {
        body: JSON.stringify({ login: 'ada' }),
        headers: { 'content-type': 'application/json', ...headers },
      });
    }
    const mails = await queued(t);
    expect(mails.length).toBeGreaterThan(0);
    const base = publicUrl || 'http://127.0.0.1:3000';
    for (const { text, html } of mails) {
      expect(text).toContain(`${base}/reset#token=`);
      expect(text + html).not.toContain('evil.example');
    }
  }
});

// proves: 3.5.3
test('opening a link, as mail scanners do, does not use up its token', async () => {
  await using t = await testApp();
  await t.signUp('ada');
  await t.client.api.v2.auth.password.forgot.post({ login: 'ada' });
  const token = await mailedToken(t, ada.email);
  await t.request('GET', `/reset?token=${token}`);
  expect((await t.request('GET', `/api/v2/auth/password/reset?token=${token}`)).status).toBe(405);
  const next = { token, new_password: NEW_PASSWORD };
  expect((await t.client.api.v2.auth.password.reset.post(next)).status).toBe(204);
});

test('an address can be confirmed and changed', async () => {
  await using t = await testApp();
  const { client } = await t.signUp('ada');
  expect((await client.api.v2.auth.verification.post()).status).toBe(202);
  const token = await mailedToken(t, ada.email);
  const proof = { token, password: PASSWORD };
  expect((await t.client.api.v2.auth.verification.confirm.post(proof)).status).toBe(200);
  const request = { new_email: 'new@example.com', password: PASSWORD };
  expect((await client.api.v2.users.me.email.post(request)).status).toBe(202);
  const change = { token: await mailedToken(t, request.new_email), password: 'wrong-password' };
  const wrong = await t.client.api.v2.auth.email.confirm.post(change);
  expect([wrong.status, wrong.error?.value]).toMatchObject([401, { code: 'bad_credentials' }]);
  change.password = PASSWORD;
  expect((await t.client.api.v2.auth.email.confirm.post(change)).status).toBe(204);
  expect((await client.api.v2.users.me.get()).data).toMatchObject({
    email: request.new_email,
    email_verified: true,
  });
});

test('a wrong token is invalid_action_token on every route that accepts one', async () => {
  await using t = await testApp();
  const { auth } = t.client.api.v2;
  const token = 'made-up';
  const responses = [
    await auth.verification.confirm.post({ token }),
    await auth.password.reset.post({ token, new_password: NEW_PASSWORD }),
    await auth.email.confirm.post({ token, password: PASSWORD }),
  ];
  for (const { status, error } of responses) {
    expect([status, error?.value]).toMatchObject([400, { code: 'invalid_action_token' }]);
  }
});

// proves: sign-in-methods.personal-access-token
test('a personal access token can neither request a mail nor change the address', async () => {
  await using t = await testApp();
  const ada = await t.signUp('ada');
  const request = { name: 'x', scopes: ['users:read'] };
  const { token } = await t.deps.accessTokens.create(ada, request);
  const body = { new_email: 'new@example.com', password: PASSWORD };
  expect((await t.json('POST', '/api/v2/users/me/email', body, token)).status).toBe(403);
  expect((await t.request('POST', '/api/v2/auth/verification', { token })).status).toBe(403);
  const subjects = (await queued(t)).map(({ subject }) => subject);
  expect(subjects).toEqual(['A personal access token was added to your account']);
});
