import { describe, expect, test } from 'bun:test';
import { SignJWT, UnsecuredJWT } from 'jose';
import type { Config } from '../../../../src/core/config/config.ts';
import { scriptFetch, scriptOpenid, signed } from '../../../scripted-provider.ts';
import { testApp } from '../../../support.ts';

const ISSUER = 'https://id.example.com';
const ENDPOINTS = { issuer: ISSUER, authorize: `${ISSUER}/auth`, token: `${ISSUER}/token` };
const SECRET = 'a-secret-that-nobody-sees';
const PROVIDER_TEXT = 'text-of-the-provider';
const SETTINGS: Partial<Config> = {
  publicUrl: 'http://localhost',
  oidcIssuer: ISSUER,
  oidcClientId: 'hutch',
  oidcClientSecret: SECRET,
};

/** An application whose provider sends scripted responses, with functions that sign in. */
async function scriptedApp(idToken: (claims: Record<string, unknown>) => Promise<string> | string) {
  const script = scriptFetch();
  const t = await testApp({ config: SETTINGS, logLevel: 'warn' });
  let nonce = '';
  const claims = () => ({ iss: ISSUER, aud: 'hutch', sub: '7', email: 'a@example.com', nonce });
  await scriptOpenid(script, ENDPOINTS, () => idToken(claims()));
  const { login } = t.client.api.v2.auth.identities;
  return {
    t,
    script,
    begin: () => login.options.post({ provider: 'oidc' }),
    signIn: async () => {
      const started = await login.options.post({ provider: 'oidc' });
      const { flow, authorization_url } = started.data as {
        flow: string;
        authorization_url: string;
      };
      const query = new URL(authorization_url).searchParams;
      nonce = String(query.get('nonce'));
      return login.post({ flow, code: 'x', state: String(query.get('state')) });
    },
    /** Expects neither the text of the provider nor the client secret in `value` and the log. */
    expectNothingRevealed: (value: unknown) => {
      for (const secret of [SECRET, PROVIDER_TEXT, btoa(`hutch:${SECRET}`)]) {
        expect(JSON.stringify(value) + t.logLines.join('')).not.toContain(secret);
      }
    },
    [Symbol.asyncDispose]: async () => {
      script[Symbol.dispose]();
      await t[Symbol.asyncDispose]();
    },
  };
}

const good = (claims: Record<string, unknown>) => signed(claims);

test('a valid ID token signs in', async () => {
  await using app = await scriptedApp(good);
  expect((await app.signIn()).status).toBe(200);
});

describe('an ID token', () => {
  const wrong: Record<string, (claims: Record<string, unknown>) => Promise<string> | string> = {
    // proves: cryptography.id-tokens-of-providers, 6.8.2, 9.1.1, 9.1.3
    'signed by another key': (claims) => signed(claims, { isForged: true }),
    // proves: cryptography.id-tokens-of-providers, 6.8.2, 9.1.2
    'without a signature': (claims) => new UnsecuredJWT(claims).setExpirationTime('5m').encode(),
    // proves: cryptography.id-tokens-of-providers, 6.8.2, 9.1.2
    'signed with the client secret': (claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(new TextEncoder().encode(SECRET)),
    // proves: 9.2.3, 10.5.4
    'for another audience': (claims) => signed({ ...claims, aud: 'another' }),
    // proves: 9.2.3
    'for two audiences, authorized for the other': (claims) =>
      signed({ ...claims, aud: ['hutch', 'another'], azp: 'another' }),
    // proves: 10.2.2
    'of another issuer': (claims) => signed({ ...claims, iss: 'https://evil.example.com' }),
    // proves: 9.2.2, 10.5.1
    'with another nonce': (claims) => signed({ ...claims, nonce: 'x' }),
    // proves: 9.2.2, 10.5.1
    'without a nonce': (claims) => signed({ ...claims, nonce: undefined }),
    // proves: 10.5.2
    'without a subject': (claims) => signed({ ...claims, sub: undefined }),
    // proves: 9.2.1
    'that has expired': (claims) => signed(claims, { expiresAt: '2 minutes ago' }),
    // proves: 9.1.1
    'that is not a JWT': () => 'nonsense',
  };

  test.each(Object.keys(wrong))('%s is refused', async (what) => {
    await using app = await scriptedApp(wrong[what] ?? good);
    const { status, error } = await app.signIn();
    expect(status).toBe(401);
    expect(error?.value).toMatchObject({ code: 'bad_credentials' });
  });
});

describe('a provider that fails', () => {
  const failures: Record<string, () => Response | Promise<Response>> = {
    'with an error of its own': () => new Response(PROVIDER_TEXT, { status: 500 }),
    'with text instead of JSON': () => new Response(PROVIDER_TEXT),
    'with another shape': () => Response.json([PROVIDER_TEXT]),
    'with null': () => Response.json(null),
    'with a redirect': () => Response.redirect('https://evil.example.com/', 302),
    'with an unknown error code': () => Response.json({ error: PROVIDER_TEXT }, { status: 400 }),
    'with no response': () => Promise.reject(new Error(PROVIDER_TEXT)),
  };
  const calls = [
    `GET ${ISSUER}/.well-known/openid-configuration`,
    `POST ${ISSUER}/token`,
    `GET ${ISSUER}/keys`,
  ];

  // proves: outbound-calls.the-sign-in-providers-of-the-settings, 10.1.1
  test.each(Object.keys(failures))('%s is 502, and its text is not revealed', async (what) => {
    for (const call of calls) {
      await using app = await scriptedApp(good);
      app.script.on(call, failures[what] ?? (() => Response.error()));
      const response = call.includes('well-known') ? await app.begin() : await app.signIn();
      expect(`${call} ${response.status}`).toBe(`${call} 502`);
      expect(response.error?.value).toMatchObject({ code: 'upstream_failed' });
      app.expectNothingRevealed(response.error?.value);
    }
  });

  // proves: data.secret-of-the-operator
  test('is logged as invalid_client if it rejects the client secret', async () => {
    await using app = await scriptedApp(good);
    const body = { error: 'invalid_client', error_description: PROVIDER_TEXT };
    app.script.on(`POST ${ISSUER}/token`, () => Response.json(body, { status: 401 }));
    const { status, error } = await app.signIn();
    expect(status).toBe(502);
    app.expectNothingRevealed(error?.value);
    expect(app.t.logLines.join('')).toContain('invalid_client');
  });

  test('once is called again', async () => {
    await using app = await scriptedApp(good);
    const discovery = `GET ${ISSUER}/.well-known/openid-configuration`;
    app.script.on(discovery, () => new Response('', { status: 503 }));
    expect((await app.begin()).status).toBe(502);
    await scriptOpenid(app.script, ENDPOINTS, () => '');
    expect((await app.begin()).status).toBe(200);
  });

  test.each([
    { issuer: 'https://evil.example.com' },
    { token_endpoint: 'http://id.example.com/token' },
    { jwks_uri: 'http://10.0.0.1/keys' },
    { authorization_endpoint: 'javascript:alert(1)' },
    { userinfo_endpoint: 'ftp://id.example.com' },
    // proves: outbound-calls.the-sign-in-providers-of-the-settings, 9.1.3, 10.5.3
  ])('with %j in its discovery document is 502', async (fault) => {
    await using app = await scriptedApp(good);
    const document = {
      ...{ issuer: ISSUER, authorization_endpoint: ENDPOINTS.authorize },
      ...{ token_endpoint: ENDPOINTS.token, jwks_uri: `${ISSUER}/keys`, ...fault },
    };
    app.script.json(`GET ${ISSUER}/.well-known/openid-configuration`, document);
    expect((await app.begin()).status).toBe(502);
  });
});
