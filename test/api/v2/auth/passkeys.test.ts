import { describe, expect, test } from 'bun:test';
import { turnTotpOn } from '../../../outsiders.ts';
import { type Behaviour, createAuthenticator } from '../../../passkeys.ts';
import { PASSWORD, testApp } from '../../../support.ts';

const ORIGIN = 'https://api.example.com';

/** Ada's account with a passkey and an authenticator that is on. */
async function withPasskey() {
  const t = await testApp({ config: { publicUrl: ORIGIN } });
  const ada = await t.signUp('ada');
  const device = createAuthenticator(ORIGIN);
  const { passkeys } = ada.client.api.v2.auth;
  const { data } = await passkeys.options.post({ password: PASSWORD });
  const made = { flow: data?.flow ?? '', response: device.create(data?.options) };
  expect((await passkeys.post({ ...made, name: 'laptop' })).status).toBe(201);
  turnTotpOn(t, ada.id);
  const { login } = t.client.api.v2.auth.passkeys;
  /** What a browser answers to the options of a sign-in. */
  const answer = async (behaviour: Behaviour = {}) => {
    const begun = await login.options.post();
    return {
      flow: begun.data?.flow ?? '',
      response: device.get(begun.data?.options, behaviour),
    };
  };
  return { t, ada, login, answer, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

describe('a passkey', () => {
  // proves: sign-in-methods.passkey-auth-passkeys-login
  test('signs in with no code where an authenticator is on, and proves a second factor', async () => {
    await using it = await withPasskey();
    const { status, data } = await it.login.post(await it.answer());
    expect(status).toBe(200);
    const token = (data as { token?: string } | null)?.token;
    const wish = { name: 'x', scopes: ['items:read' as const] };
    expect((await it.t.clientFor(token).api.v2.tokens.post(wish)).status).toBe(201);
  });

  // proves: cryptography.passkeys
  test('may be of an ML-DSA-44, EdDSA, ES256 or RS256 key', async () => {
    await using it = await withPasskey();
    const { options } = it.ada.client.api.v2.auth.passkeys;
    const { data } = await options.post({ password: PASSWORD });
    const named = data?.options['pubKeyCredParams'] as { alg: number }[];
    expect(named.map(({ alg }) => alg)).toEqual([-48, -8, -7, -257]);
  });

  // proves: sign-in-methods.passkey-auth-passkeys-login
  test('answers a challenge once', async () => {
    await using it = await withPasskey();
    const answer = await it.answer();
    expect((await it.login.post(answer)).status).toBe(200);
    expect((await it.login.post(answer)).error?.value).toMatchObject({
      code: 'invalid_action_token',
    });
  });

  test.each([
    ['for the page of another site', { origin: 'https://api.example.com.evil.example' }],
    ['without a PIN or finger', { isVerified: false }],
    // proves: sign-in-methods.passkey-auth-passkeys-login
  ])('opens nothing %s', async (_, behaviour) => {
    await using it = await withPasskey();
    const { error } = await it.login.post(await it.answer(behaviour));
    expect(error?.value).toMatchObject({ code: 'bad_credentials' });
  });
});

test.each(['http://192.0.2.10', 'https://192.0.2.10:8443', 'http://[2001:db8::1]', 'http://127.1'])(
  'conflict where the public URL is an address: %s',
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
