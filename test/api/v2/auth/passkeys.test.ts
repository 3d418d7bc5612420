import { describe, expect, test } from 'bun:test';
import { turnTotpOn } from '../../../outsiders.ts';
import { type Behaviour, createAuthenticator } from '../../../passkeys.ts';
import { PASSWORD, testApp } from '../../../support.ts';

const ORIGIN = 'https://api.example.com';

/** Ada's account with a passkey and an enabled authenticator. */
async function withPasskey() {
  const t = await testApp({ config: { publicUrl: ORIGIN } });
  const ada = await t.signUp('ada');
  const device = createAuthenticator(ORIGIN);
  const { passkeys } = ada.client.api.v2.auth;
  const { data } = await passkeys.options.post({ password: PASSWORD });
  const created = { flow: data?.flow ?? '', response: device.create(data?.options) };
  expect((await passkeys.post({ ...created, name: 'laptop' })).status).toBe(201);
  turnTotpOn(t, ada.id);
  const { login } = t.client.api.v2.auth.passkeys;
  /** Starts a sign-in and returns the response of a browser to its challenge. */
  const assertion = async (behaviour: Behaviour = {}) => {
    const started = await login.options.post();
    return {
      flow: started.data?.flow ?? '',
      response: device.get(started.data?.options, behaviour),
    };
  };
  return { t, ada, login, assertion, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

describe('a passkey', () => {
  // proves: sign-in-methods.passkey-auth-passkeys-login
  test('signs in without a code despite an authenticator, and proves a second factor', async () => {
    await using it = await withPasskey();
    const { status, data } = await it.login.post(await it.assertion());
    expect(status).toBe(200);
    const token = (data as { token?: string } | null)?.token;
    const request = { name: 'x', scopes: ['items:read' as const] };
    expect((await it.t.clientFor(token).api.v2.tokens.post(request)).status).toBe(201);
  });

  // proves: cryptography.passkeys
  test('may use an ML-DSA-44, EdDSA, ES256 or RS256 key', async () => {
    await using it = await withPasskey();
    const { options } = it.ada.client.api.v2.auth.passkeys;
    const { data } = await options.post({ password: PASSWORD });
    const algorithms = data?.options['pubKeyCredParams'] as { alg: number }[];
    expect(algorithms.map(({ alg }) => alg)).toEqual([-48, -8, -7, -257]);
  });

  // proves: sign-in-methods.passkey-auth-passkeys-login
  test('can be used once per challenge', async () => {
    await using it = await withPasskey();
    const assertion = await it.assertion();
    expect((await it.login.post(assertion)).status).toBe(200);
    expect((await it.login.post(assertion)).error?.value).toMatchObject({
      code: 'invalid_action_token',
    });
  });

  test.each([
    ['on the page of another site', { origin: 'https://api.example.com.evil.example' }],
    ['without a PIN or fingerprint', { isVerified: false }],
    // proves: sign-in-methods.passkey-auth-passkeys-login
  ])('opens no session %s', async (_, behaviour) => {
    await using it = await withPasskey();
    const { error } = await it.login.post(await it.assertion(behaviour));
    expect(error?.value).toMatchObject({ code: 'bad_credentials' });
  });
});

test.each(['http://192.0.2.10', 'https://192.0.2.10:8443', 'http://[2001:db8::1]', 'http://127.1'])(
  'passkeys are a conflict if the public URL has an IP address: %s',
  async (url) => {
    await using t = await testApp({ config: { publicUrl: new URL(url).origin } });
    const ada = await t.signUp('ada');
    const host = new URL(url).host;
    const headers = { host, 'content-type': 'application/json' };
    const calls = [
      t.request('POST', '/api/v2/auth/passkeys/options', {
        ...{ token: ada.token, headers, body: JSON.stringify({ password: PASSWORD }) },
      }),
      t.request('POST', '/api/v2/auth/passkeys/login/options', { headers: { host } }),
    ];
    for (const response of await Promise.all(calls)) {
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({
        code: 'conflict',
        detail: 'Passkeys need a domain name: HUTCH_PUBLIC_URL is an IP address',
      });
    }
  },
);
