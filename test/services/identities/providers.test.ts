import { describe, expect, jest, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { loadConfig } from '../../../src/core/config/config.ts';
import { createOutbound } from '../../../src/core/outbound/client.ts';
import { createIdentityProviders } from '../../../src/services/identities/providers.ts';
import { scriptFetch, scriptOpenid, signed } from '../../scripted-provider.ts';

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  ...{ type: 'pkcs8', format: 'pem' },
});

const NAMES = ['google', 'github', 'gitlab', 'microsoft', 'discord', 'oidc'];
const ENV = {
  ...Object.fromEntries(
    NAMES.flatMap((name) => [
      [`HUTCH_${name.toUpperCase()}_CLIENT_ID`, `id-at-${name}`],
      [`HUTCH_${name.toUpperCase()}_CLIENT_SECRET`, 'the-secret'],
    ]),
  ),
  HUTCH_OIDC_ISSUER: 'https://id.example.com/staff',
  HUTCH_APPLE_CLIENT_ID: 'id-at-apple',
  HUTCH_APPLE_TEAM_ID: 'TEAM',
  HUTCH_APPLE_KEY_ID: 'KEY',
  HUTCH_APPLE_PRIVATE_KEY: String(pem).replaceAll('\n', '\\n'),
};

const asking = {
  state: 'the-state',
  verifier: 'v'.repeat(43),
  nonce: 'the-nonce',
  redirect_uri: 'https://app.example.com/sign-in',
};
const answering = { ...asking, code: 'the-code' };
const BASIC = (name: string) => `Basic ${btoa(`id-at-${name}:the-secret`)}`;
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';
const DIRECTORY = '11111111-2222-3333-4444-555555555555';

function provider(name: string, env: Record<string, string> = {}) {
  const config = loadConfig({}, { ...ENV, ...env });
  const trustedOutbound = createOutbound({ version: 'test', allowHosts: 'any', breaker: false });
  const providers = createIdentityProviders({ config, trustedOutbound, now: () => new Date() });
  const found = providers.get(name);
  if (!found) throw new Error(`${name} is not set up`);
  return found;
}

/** What an OpenID provider has in its tokens, beside what all have. */
const ISSUERS = {
  google: {
    issuer: 'https://accounts.google.com',
    authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
  },
  gitlab: {
    issuer: 'https://gitlab.com',
    authorize: 'https://gitlab.com/oauth/authorize',
    token: 'https://gitlab.com/oauth/token',
  },
  microsoft: {
    issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
    at: 'https://login.microsoftonline.com/common/v2.0',
    authorize: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    token: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
  },
  apple: {
    issuer: 'https://appleid.apple.com',
    authorize: 'https://appleid.apple.com/auth/authorize',
    token: 'https://appleid.apple.com/auth/token',
  },
  oidc: {
    issuer: 'https://id.example.com/staff',
    authorize: 'https://id.example.com/staff/auth',
    token: 'https://id.example.com/staff/token',
  },
};
type Openid = keyof typeof ISSUERS;

/** Has `name` answer with these claims, and gives who that is. */
async function whoIs(name: Openid, claims: Record<string, unknown>, env = {}) {
  using script = scriptFetch();
  const iss = ISSUERS[name].issuer.replace('{tenantid}', String(claims['tid']));
  const all = { iss, aud: `id-at-${name}`, sub: '7', nonce: asking.nonce, ...claims };
  await scriptOpenid(script, ISSUERS[name], () => signed(all));
  const it = provider(name, env);
  const url = await it.begin(asking);
  return { url, profile: await it.finish(answering), calls: script.calls, iss };
}

describe.each(Object.keys(ISSUERS) as Openid[])('%s', (name) => {
  // proves: sign-in-methods.sign-in-provider-auth-identities-login, cryptography.sign-in-with-apple, 10.2.1
  test('is called with state, nonce and PKCE, and returns the profile', async () => {
    const claims = { email: 'ada@example.com', email_verified: 'true', tid: PERSONAL };
    const { url, profile, calls, iss } = await whoIs(name, claims);
    const asked = Object.fromEntries(url.searchParams);
    expect(url.origin + url.pathname).toBe(ISSUERS[name].authorize);
    expect(asked).toMatchObject({
      response_type: 'code',
      client_id: `id-at-${name}`,
      redirect_uri: asking.redirect_uri,
      state: 'the-state',
      nonce: 'the-nonce',
    });
    expect(asked['scope']).toContain('email');
    const email = 'ada@example.com';
    expect(profile).toEqual({
      ...{ subject: `${iss} 7`, email, is_email_verified: true, names: [email] },
    });

    const exchange = calls.find((it) => it.name === `POST ${ISSUERS[name].token}`);
    const sent = Object.fromEntries(exchange?.body ?? []);
    expect(sent).toMatchObject({ code: 'the-code', redirect_uri: asking.redirect_uri });
    if (name === 'apple') {
      expect(asked['response_mode']).toBe('form_post');
      const secret = { iss: 'TEAM', sub: 'id-at-apple', aud: 'https://appleid.apple.com' };
      expect(decodeJwt(String(sent['client_secret']))).toMatchObject(secret);
      expect(decodeProtectedHeader(String(sent['client_secret'])).alg).toBe('ES256');
    } else {
      expect(asked['code_challenge_method']).toBe('S256');
      expect(sent['code_verifier']).toBe(asking.verifier);
      expect(exchange?.authorization).toBe(BASIC(name));
    }
  });

  test('confirms no address that it does not call verified', async () => {
    for (const email_verified of [false, 'false', 1, undefined]) {
      const claims = { email: 'ada@example.com', email_verified, tid: DIRECTORY };
      expect((await whoIs(name, claims)).profile.is_email_verified).toBe(false);
    }
  });
});

describe('an address in a directory of Microsoft', () => {
  const claims = { email: 'ada@example.com', email_verified: true, tid: DIRECTORY };

  test('counts if Microsoft confirms that the directory owns the domain', async () => {
    expect((await whoIs('microsoft', claims)).profile.is_email_verified).toBe(false);
    const owned = { ...claims, xms_edov: true };
    expect((await whoIs('microsoft', owned)).profile.is_email_verified).toBe(true);
  });

  test('counts if the operator trusts the directory', async () => {
    const env = { HUTCH_MICROSOFT_TRUST_EMAIL: 'on', HUTCH_MICROSOFT_TENANT: 'common' };
    expect((await whoIs('microsoft', claims, env)).profile.is_email_verified).toBe(true);
  });

  // proves: 6.8.1, 10.2.2
  test('is accepted only from the issuer of the directory in the token', async () => {
    const wrong = { ...claims, iss: `https://login.microsoftonline.com/${PERSONAL}/v2.0` };
    await expect(whoIs('microsoft', wrong)).rejects.toMatchObject({ code: 'bad_credentials' });
  });
});

test('the operator can trust the addresses of their own provider', async () => {
  const claims = { email: 'ada@example.com' };
  const { profile } = await whoIs('oidc', claims, { HUTCH_OIDC_TRUST_EMAIL: 'on' });
  expect(profile.is_email_verified).toBe(true);
});

describe('github', () => {
  const emails = [
    { email: 'old@example.com', primary: false, verified: true },
    { email: 'ada@example.com', primary: true, verified: true },
  ];

  test.each([true, false])('returns the profile from its API (verified: %p)', async (verified) => {
    using script = scriptFetch();
    const token = 'POST https://github.com/login/oauth/access_token';
    script.json(token, { access_token: 'access', token_type: 'bearer' });
    script.json('GET https://api.github.com/user', { id: 7, login: 'ada' });
    const own = emails.map((it) => ({ ...it, verified: it.primary ? verified : true }));
    script.json('GET https://api.github.com/user/emails', own);
    const it = provider('github');
    const url = await it.begin(asking);
    expect(url.href).toStartWith('https://github.com/login/oauth/authorize?');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      ...{ client_id: 'id-at-github', state: 'the-state', scope: 'user:email' },
      code_challenge_method: 'S256',
    });
    expect(await it.finish(answering)).toEqual({
      ...{ subject: '7', email: 'ada@example.com', is_email_verified: verified, names: ['ada'] },
    });
    const [exchange, ...reads] = script.calls;
    expect(exchange?.authorization).toBe(BASIC('github'));
    expect(exchange?.body.get('code_verifier')).toBe(asking.verifier);
    expect(reads.map(({ authorization }) => authorization)).toEqual([
      'Bearer access',
      'Bearer access',
    ]);
  });

  test('refuses an invalid code, which it reports with 200', async () => {
    using script = scriptFetch();
    const token = 'POST https://github.com/login/oauth/access_token';
    script.json(token, { error: 'bad_verification_code' });
    const finish = provider('github').finish(answering);
    await expect(finish).rejects.toMatchObject({ code: 'bad_credentials' });
  });
});

test.each([true, false])(
  'discord returns the profile from its API (verified: %p)',
  async (verified) => {
    using script = scriptFetch();
    const user = { id: '7', username: 'ada', email: 'ada@example.com', verified };
    script.json('POST https://discord.com/api/oauth2/token', { access_token: 'access' });
    script.json('GET https://discord.com/api/users/@me', user);
    const it = provider('discord');
    const url = await it.begin(asking);
    expect(url.href).toStartWith('https://discord.com/oauth2/authorize?');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      ...{ client_id: 'id-at-discord', state: 'the-state', scope: 'identify email' },
      code_challenge_method: 'S256',
    });
    expect(await it.finish(answering)).toEqual({
      ...{ subject: '7', email: user.email, is_email_verified: verified, names: ['ada'] },
    });
    expect(script.calls[0]?.body.get('code_verifier')).toBe(asking.verifier);
  },
);

// proves: outbound-calls.the-sign-in-providers-of-the-settings
test('a provider that does not respond fails after ten seconds', async () => {
  using script = scriptFetch();
  script.on('POST https://discord.com/api/oauth2/token', () => new Promise(() => {}));
  jest.useFakeTimers();
  try {
    const finish = provider('discord').finish(answering);
    while (script.calls.length === 0) await Promise.resolve();
    jest.advanceTimersByTime(10_000);
    await expect(finish).rejects.toMatchObject({ code: 'upstream_failed' });
  } finally {
    jest.useRealTimers();
  }
});

describe('the credentials of a client', () => {
  const ENDPOINTS = {
    issuer: ENV.HUTCH_OIDC_ISSUER,
    authorize: 'https://id.example.com/authorize',
    token: 'https://id.example.com/token',
  };
  const SECRETS = { HUTCH_OIDC_CLIENT_ID: 'urn:app', HUTCH_OIDC_CLIENT_SECRET: 'a+b%2Fc d\u00e9' };

  /** What the token endpoint is sent, where discovery lists these methods. */
  async function sent(methods: unknown) {
    using script = scriptFetch();
    await scriptOpenid(script, ENDPOINTS, () => 'none');
    script.json(`GET ${ENDPOINTS.issuer}/.well-known/openid-configuration`, {
      ...{ issuer: ENDPOINTS.issuer, authorization_endpoint: ENDPOINTS.authorize },
      ...{ token_endpoint: ENDPOINTS.token, jwks_uri: `${ENDPOINTS.issuer}/keys` },
      token_endpoint_auth_methods_supported: methods,
    });
    await provider('oidc', SECRETS)
      .finish(answering)
      .catch(() => {});
    const call = script.calls.find(({ name }) => name === `POST ${ENDPOINTS.token}`);
    return { authorization: call?.authorization, secret: call?.body.get('client_secret') };
  }

  test.each([
    undefined,
    [],
    'client_secret_post',
    ['client_secret_basic'],
    ['client_secret_post', 'client_secret_basic'],
    ['private_key_jwt'],
  ])('are form-encoded in Basic where %p is listed', async (methods) => {
    const pair = btoa('urn%3Aapp:a%2Bb%252Fc+d%C3%A9');
    expect(await sent(methods)).toEqual({ authorization: `Basic ${pair}`, secret: null });
  });

  test('are in the body if only that is listed', async () => {
    expect(await sent(['client_secret_post', 'private_key_jwt'])).toEqual({
      authorization: null,
      secret: 'a+b%2Fc d\u00e9',
    });
  });
});
