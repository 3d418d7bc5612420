import { createPrivateKey } from 'node:crypto';
import { fault, oauthFault, type ProviderCalls, refused } from './calls.ts';

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
  /**
   * Spends a code. `authMethods` are those that the provider lists, if it lists any. Throws
   * bad_credentials for a code that is refused, and upstream_failed.
   */
  exchange(endpoint: string, answering: Answering, authMethods?: unknown): Promise<Tokens>;
}

export interface ClientOptions {
  calls: ProviderCalls;
  id: string;
  secret: string;
  scopes: string[];
}

/** A client with a secret that uses PKCE (RFC 7636). */
export function pkceClient({ calls, id, secret, scopes }: ClientOptions): ProviderClient {
  return {
    id,
    authorizationUrl: (endpoint, { state, verifier, redirect_uri }) =>
      withParams(endpoint, {
        ...{ response_type: 'code', client_id: id, redirect_uri, state },
        code_challenge_method: 'S256',
        code_challenge: Bun.SHA256.hash(verifier, 'base64url'),
        scope: scopes.join(' '),
      }),
    exchange: (endpoint, { code, verifier: code_verifier, redirect_uri }, authMethods) => {
      const form = { grant_type: 'authorization_code', code, redirect_uri, code_verifier };
      return wantsSecretInBody(authMethods)
        ? exchange(calls, endpoint, { ...form, client_id: id, client_secret: secret })
        : exchange(calls, endpoint, form, { authorization: basic(id, secret) });
    },
  };
}

/** RFC 6749 2.3.1: both parts are form-encoded before they are joined. */
function basic(id: string, secret: string): string {
  const pair = [id, secret].map(formEncoded).join(':');
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function formEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%20', '+');
}

/** Basic is the default of discovery, and every OAuth server must support it. */
function wantsSecretInBody(methods: unknown): boolean {
  if (!Array.isArray(methods)) return false;
  return methods.includes('client_secret_post') && !methods.includes('client_secret_basic');
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
