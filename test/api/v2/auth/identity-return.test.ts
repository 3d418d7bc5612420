import { describe, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import type { Config } from '../../../../src/core/config/config.ts';
import { scriptFetch, scriptOpenid, signed } from '../../../scripted-provider.ts';
import { testApp } from '../../../support.ts';

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  ...{ type: 'pkcs8', format: 'pem' },
});

describe("Apple's form", () => {
  const config: Partial<Config> = {
    publicUrl: 'http://localhost',
    ...{ appleClientId: 'hutch', appleTeamId: 'TEAM', appleKeyId: 'KEY' },
    applePrivateKey: String(pem),
  };
  const issuer = 'https://appleid.apple.com';
  const apple = { issuer, authorize: `${issuer}/auth/authorize`, token: `${issuer}/auth/token` };

  // proves: 3.7.2
  test('redirects to the page that started the flow, which signs in', async () => {
    using script = scriptFetch();
    await using t = await testApp({ config });
    let nonce = '';
    const claims = { iss: issuer, aud: 'hutch', sub: '7', email: 'ada@example.com' };
    const proof = { email_verified: 'true' };
    await scriptOpenid(script, apple, () => signed({ ...claims, ...proof, nonce }));
    const { login } = t.client.api.v2.auth.identities;
    const redirect_uri = 'http://localhost/sign-in?next=items';
    const { data } = await login.options.post({ provider: 'apple', redirect_uri });
    const query = new URL(data?.authorization_url ?? '').searchParams;
    nonce = String(query.get('nonce'));
    expect(query.get('redirect_uri')).toBe('http://localhost/api/v2/auth/identities/return');

    const form = { state: String(query.get('state')), code: 'c', id_token: 'x', user: '{"x":1}' };
    const send = () =>
      t.request('POST', '/api/v2/auth/identities/return', {
        body: new URLSearchParams(form).toString(),
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...{ origin: issuer, 'sec-fetch-site': 'cross-site' },
        },
      });
    const response = await send();
    expect(response.status).toBe(303);
    const page = new URL(response.headers.get('location') ?? '');
    expect(page.href).toBe(`${redirect_uri}&code=c&state=${form.state}`);
    expect((await send()).status).toBe(400);

    // The values in the URL open no session by themselves.
    const { state } = form;
    expect((await login.post({ flow: state, code: 'c', state })).status).toBe(400);
    const opened = await login.post({ flow: data?.flow ?? '', code: 'c', state });
    expect(opened.data?.account).toMatchObject({ email: 'ada@example.com', email_verified: true });
  });

  test('is refused with an unknown state, as is the flow itself', async () => {
    using script = scriptFetch();
    await using t = await testApp({ config });
    await scriptOpenid(script, apple, () => '');
    const { identities } = t.client.api.v2.auth;
    const { data } = await identities.login.options.post({ provider: 'apple' });
    for (const state of ['x', data?.flow ?? '']) {
      const { status, error } = await identities.return.post({ state, code: 'c' });
      expect(status).toBe(400);
      expect(error?.value).toMatchObject({ code: 'invalid_action_token' });
    }
  });
});
