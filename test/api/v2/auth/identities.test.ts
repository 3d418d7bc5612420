import { describe, expect, test } from 'bun:test';
import { outsidersApp, person } from '../../../outsiders.ts';
import { atOnce, PASSWORD, testApp } from '../../../support.ts';

const ada = person('ada');

describe('signing in with a provider', () => {
  test('creates an account with a verified address and no password, and links it', async () => {
    await using o = await outsidersApp();
    const { data, status } = await o.signIn(ada);
    expect(status).toBe(200);
    const account = { email: ada.email, username: 'ada', role: 'user' };
    expect(data?.account).toMatchObject({ ...account, email_verified: true, has_password: false });
    const client = o.t.clientFor(data?.token);
    const linked = [{ provider: 'oidc', email: ada.email }];
    expect((await client.api.v2.auth.identities.get()).data?.data).toMatchObject(linked);
    expect(await o.actions()).toEqual(['user.created', 'identity.linked', 'session.opened']);
  });

  // proves: sign-in-methods.sign-in-provider-auth-identities-login, 6.8.1, 10.5.2
  test('finds the same account again even if the address has changed', async () => {
    await using o = await outsidersApp();
    const first = await o.signIn(ada);
    const again = await o.signIn({ ...ada, email: 'lovelace@example.com' });
    expect(again.data?.account.id).toBe(first.data?.account.id as number);
    expect(again.data?.account.email).toBe(ada.email as string);
  });

  // proves: 10.1.1
  test('sets a cookie for a browser that requests one', async () => {
    await using o = await outsidersApp();
    const body = JSON.stringify({ ...(await o.come(ada)), transport: 'cookie' });
    const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
    const response = await o.t.request('POST', '/api/v2/auth/identities/login', { body, headers });
    expect(response.headers.get('set-cookie')).toStartWith('hutch_session=');
    expect(await response.json()).toMatchObject({ token_type: 'cookie' });
  });

  test('lists the configured providers with their display names', async () => {
    await using o = await outsidersApp({ oidcTitle: 'Staff' });
    const { data } = await o.t.client.api.v2.auth.providers.get();
    expect(data).toEqual({ data: [{ name: 'oidc', title: 'Staff' }] });
    await using bare = await testApp();
    expect((await bare.client.api.v2.auth.providers.get()).data).toEqual({ data: [] });
  });

  test('returns 404 for a provider that is not configured', async () => {
    await using o = await outsidersApp();
    const { options } = o.t.client.api.v2.auth.identities.login;
    for (const provider of ['google', 'nobody', '__proto__']) {
      expect((await options.post({ provider })).status).toBe(404);
    }
  });

  test.each([
    'https://evil.example.com/sign-in',
    'http://localhost.evil.example.com/',
    'http://localhost:81/sign-in',
    'http://me@localhost/sign-in',
    'http://localhost/sign-in#x',
    'javascript:alert(1)',
    '/sign-in',
    // proves: 3.7.2
  ])('does not redirect back to %s', async (redirect_uri) => {
    await using o = await outsidersApp();
    const { options } = o.t.client.api.v2.auth.identities.login;
    const { status, error } = await options.post({ provider: 'oidc', redirect_uri });
    expect(status).toBe(422);
    expect(error?.value).toMatchObject({ errors: [{ path: 'body.redirect_uri' }] });
  });

  test('redirects back to a page of an allowed origin', async () => {
    await using o = await outsidersApp({ corsOrigins: ['https://app.example.com'] });
    const { options } = o.t.client.api.v2.auth.identities.login;
    const redirect_uri = 'https://app.example.com/done?from=hutch';
    const { data } = await options.post({ provider: 'oidc', redirect_uri });
    const query = new URL(data?.authorization_url ?? '').searchParams;
    expect(query.get('redirect_uri')).toBe(redirect_uri);
    expect(query.get('code_challenge_method')).toBe('S256');
  });
});

describe('a flow', () => {
  // proves: sign-in-methods.sign-in-provider-auth-identities-login, 10.1.2, 10.5.1
  test('succeeds for one of 50 concurrent uses', async () => {
    await using o = await outsidersApp();
    const callback = await o.come(ada);
    const { login } = o.t.client.api.v2.auth.identities;
    const results = await atOnce(50, () => login.post(callback));
    const statuses = results.map((it) => (it.status === 'fulfilled' ? it.value.status : 0));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 400)).toHaveLength(49);
    const { error } = await login.post(callback);
    expect(error?.value).toMatchObject({ code: 'invalid_action_token' });
  });

  test.each([['a wrong state'], ['the flow of another user'], ['an unknown flow']])(
    // proves: input.code-of-a-provider, 7.6.2, 10.1.2
    'opens no session with %s',
    async (what) => {
      await using o = await outsidersApp();
      const mine = await o.come(ada);
      const other = await o.come(person('eve'));
      const callbacks: Record<string, typeof mine> = {
        'a wrong state': { ...mine, state: 'x' },
        'the flow of another user': { ...other, flow: mine.flow },
        'an unknown flow': { ...mine, flow: 'x' },
      };
      const wrong = callbacks[what] as typeof mine;
      const { status, error } = await o.t.client.api.v2.auth.identities.login.post(wrong);
      expect(status).toBe(400);
      expect(error?.value).toMatchObject({ code: 'invalid_action_token' });
    },
  );

  test.each([['the code of another flow'], ['an unknown code']])(
    'opens no session with %s',
    async (what) => {
      await using o = await outsidersApp();
      const mine = await o.come(ada);
      const { code } = await o.come(person('eve'));
      const wrong = { ...mine, code: what === 'an unknown code' ? 'x' : code };
      const { status, error } = await o.t.client.api.v2.auth.identities.login.post(wrong);
      expect(status).toBe(401);
      expect(error?.value).toMatchObject({ code: 'bad_credentials' });
    },
  );

  test('expires after 15 minutes', async () => {
    await using o = await outsidersApp();
    const callback = await o.come(ada);
    o.t.deps.db.client.run("update auth_flows set expires_at = '2020-01-01T00:00:00.000Z'");
    expect((await o.t.client.api.v2.auth.identities.login.post(callback)).status).toBe(400);
  });

  // proves: input.code-of-a-provider, 10.1.2
  test('for linking opens no session, and one for signing in links nothing', async () => {
    await using o = await outsidersApp();
    const { client } = await o.t.signUp('bob');
    const { identities } = client.api.v2.auth;
    const started = await identities.options.post({ provider: 'oidc', password: PASSWORD });
    const rest = { code: 'x', state: 'x' };
    const flow = started.data?.flow ?? '';
    expect((await identities.login.post({ flow, ...rest })).status).toBe(400);
    expect((await identities.post(await o.come(ada))).status).toBe(400);
  });
});
