import { createPrivateKey } from 'node:crypto';
import { fault, oauthFault, type ProviderCalls, refused } from './provider-calls.ts';

/** What the first step sends along. */
export interface Asking {
  state: string;
  verifier: string;
  nonce: string;
  redirect_uri: string;
}

/** What the second step has: the code, and what the first one kept. */
export interface Answering {
  code: string;
  verifier: string;
  nonce: string;
  redirect_uri: string;
}

/** What a provider gives for a code. */
export interface Tokens {
  accessToken: string;
  /** Undefined, or whatever the provider sent in its place, where it gave none. */
  idToken: unknown;
}

/** Hutch as a provider knows it. */
export interface ProviderClient {
  readonly id: string;
  authorizationUrl(endpoint: string, asking: Asking): URL;
  /** Throws bad_credentials for a code that is refused, and upstream_failed. */
  exchange(endpoint: string, answering: Answering): Promise<Tokens>;
}

export interface ClientOptions {
  calls: ProviderCalls;
  id: string;
  secret: string;
  scopes: string[];
}

/** A client with a secret that uses PKCE (RFC 7636). */
export function pkceClient({ calls, id, secret, scopes }: ClientOptions): ProviderClient {
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  return {
    id,
    authorizationUrl: (endpoint, { state, verifier, redirect_uri }) =>
      withParams(endpoint, {
        ...{ response_type: 'code', client_id: id, redirect_uri, state },
        code_challenge_method: 'S256',
        code_challenge: Bun.SHA256.hash(verifier, 'base64url'),
        scope: scopes.join(' '),
      }),
    exchange: (endpoint, { code, verifier: code_verifier, redirect_uri }) => {
      const form = { grant_type: 'authorization_code', code, redirect_uri, code_verifier };
      return exchange(calls, endpoint, form, { authorization });
    },
  };
}

export interface AppleOptions {
  calls: ProviderCalls;
  id: string;
  teamId: string;
  keyId: string;
  /** PEM. */
  privateKey: string;
}

const APPLE = 'https://appleid.apple.com';

/** Apple has no PKCE, and for a secret a token that is signed anew each time. */
export function appleClient(options: AppleOptions): ProviderClient {
  const { calls, id } = options;
  return {
    id,
    authorizationUrl: (endpoint, { state, redirect_uri }) =>
      withParams(endpoint, {
        ...{ response_type: 'code', client_id: id, redirect_uri, state },
        scope: 'name email',
        response_mode: 'form_post',
      }),
    exchange: (endpoint, { code, redirect_uri }) =>
      calls.run(async () => {
        const secret = { client_id: id, client_secret: await appleSecret(options) };
        const form = { grant_type: 'authorization_code', code, redirect_uri, ...secret };
        return exchange(calls, endpoint, form);
      }),
  };
}

async function appleSecret({ id, teamId, keyId, privateKey }: AppleOptions): Promise<string> {
  const { SignJWT } = await import('jose');
  return new SignJWT()
    .setProtectedHeader({ typ: 'JWT', alg: 'ES256', kid: keyId })
    .setIssuer(teamId)
    .setSubject(id)
    .setAudience(APPLE)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(createPrivateKey(privateKey));
}

/** What GitHub, which answers errors with 200, and all others call a code that is not good. */
const BAD_CODE = new Set<unknown>(['invalid_grant', 'bad_verification_code']);

async function exchange(
  calls: ProviderCalls,
  endpoint: string,
  form: Record<string, string>,
  headers?: Record<string, string>,
): Promise<Tokens> {
  const { isRefusal, data } = await calls.postForm(endpoint, form, headers);
  const { error, access_token: accessToken, id_token: idToken } = data;
  return calls.run(async () => {
    if (BAD_CODE.has(error)) throw refused();
    if (isRefusal) throw oauthFault(error);
    if (typeof accessToken !== 'string') throw fault('It gave no access token');
    return { accessToken, idToken };
  });
}

function withParams(endpoint: string, params: Record<string, string>): URL {
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return url;
}
