import { expect, test } from 'bun:test';
import { answerIn, openidProvider, type Person } from '../../openid.ts';
import { tempDir } from '../../support.ts';
import { serve } from '../hutch.ts';

const PAGE = 'http://localhost:5173/sign-in';
const ada = {
  ...{ sub: '7', email: 'ada@example.com', email_verified: true },
  preferred_username: 'ada',
};

// proves: cryptography.id-tokens-of-providers, 6.8.2, 9.1.1, 10.2.1
test('a real OpenID provider signs a user in twice to one account, and sign-ups are limited', async () => {
  await using openid = await openidProvider([PAGE]);
  await using server = await serve(tempDir(), {
    env: {
      HUTCH_OIDC_ISSUER: openid.settings.oidcIssuer,
      HUTCH_OIDC_CLIENT_ID: openid.settings.oidcClientId,
      HUTCH_OIDC_CLIENT_SECRET: openid.settings.oidcClientSecret,
      HUTCH_OIDC_TITLE: 'Staff',
      HUTCH_LIMIT_SIGN_UPS: '1',
      HUTCH_CORS_ORIGINS: new URL(PAGE).origin,
    },
  });
  // The name of the server without a public URL.
  const url = server.url.replace('127.0.0.1', 'localhost');
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}/api/v2/auth/identities/login${path}`, init);
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  };
  const signIn = async (who: Person) => {
    const started = await post('/options', { provider: 'oidc', redirect_uri: PAGE });
    const { flow = '', authorization_url = '' } = started.body;
    const back = await openid.browse(authorization_url, who);
    expect(back.origin + back.pathname).toBe(PAGE);
    return post('', { flow, ...answerIn(back) });
  };

  const { data } = await server.clientFor().api.v2.auth.providers.get();
  expect(data).toEqual({ data: [{ name: 'oidc', title: 'Staff' }] });
  const first = await signIn(ada);
  expect(first).toMatchObject({ status: 200, body: { account: { username: 'ada', id: 1 } } });
  expect((await signIn(ada)).body).toMatchObject({ account: { id: 1 } });
  const second = await signIn({ ...ada, sub: '8', email: 'bob@example.com' });
  expect(second).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
  const me = await server.clientFor(String(first.body['token'])).api.v2.users.me.get();
  expect(me.data).toMatchObject({ email: ada.email, email_verified: true, has_password: false });

  const log = JSON.stringify(server.lines);
  expect(log).not.toContain(openid.settings.oidcClientSecret);
  expect(log).not.toContain(String(first.body['token']));
}, 30_000);
