import { createPrivateKey } from 'node:crypto';
import type { OAuth2Tokens } from 'arctic';
import { arctic, callProvider, fault, refused } from './provider-calls.ts';

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

/** Hutch as a provider knows it. */
export interface ProviderClient {
  readonly id: string;
  authorizationUrl(endpoint: string, asking: Asking): Promise<URL>;
  /** Throws bad_credentials for a code that is refused, and upstream_failed. */
  exchange(endpoint: string, answering: Answering): Promise<OAuth2Tokens>;
}

export interface ClientOptions {
  title: string;
  id: string;
  secret: string;
  scopes: string[];
}

/** A client with a secret that uses PKCE, where arctic's own classes for GitHub and GitLab do not. */
export function pkceClient({ title, id, secret, scopes }: ClientOptions): ProviderClient {
  return {
    id,
    authorizationUrl: async (endpoint, { state, verifier, redirect_uri }) => {
      const { OAuth2Client, CodeChallengeMethod } = await arctic();
      const client = new OAuth2Client(id, secret, redirect_uri);
      const { S256 } = CodeChallengeMethod;
      return client.createAuthorizationURLWithPKCE(endpoint, state, S256, verifier, scopes);
    },
    exchange: async (endpoint, { code, verifier, redirect_uri }) => {
      const { OAuth2Client } = await arctic();
      const client = new OAuth2Client(id, secret, redirect_uri);
      return exchanged(title, () => client.validateAuthorizationCode(endpoint, code, verifier));
    },
  };
}

export interface AppleOptions {
  id: string;
  teamId: string;
  keyId: string;
  /** PEM. */
  privateKey: string;
}

/** Apple has no PKCE, and for a secret a token that is signed anew each time. */
export function appleClient({ id, teamId, keyId, privateKey }: AppleOptions): ProviderClient {
  const apple = async (redirect_uri: string) => {
    const { Apple } = await arctic();
    const key = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' });
    return new Apple(id, teamId, keyId, new Uint8Array(key), redirect_uri);
  };
  return {
    id,
    authorizationUrl: async (_endpoint, { state, redirect_uri }) => {
      const url = (await apple(redirect_uri)).createAuthorizationURL(state, ['name', 'email']);
      url.searchParams.set('response_mode', 'form_post');
      return url;
    },
    exchange: async (_endpoint, { code, redirect_uri }) => {
      const client = await apple(redirect_uri);
      return exchanged('Apple', () => client.validateAuthorizationCode(code));
    },
  };
}

/** What GitHub, which answers errors with 200, and all others call a code that is not good. */
const BAD_CODE = new Set<unknown>(['invalid_grant', 'bad_verification_code']);

function exchanged(title: string, ask: () => Promise<OAuth2Tokens>): Promise<OAuth2Tokens> {
  return callProvider(title, async () => {
    const { OAuth2RequestError } = await arctic();
    const tokens = await ask().catch((error: unknown) => {
      throw error instanceof OAuth2RequestError && BAD_CODE.has(error.code) ? refused() : error;
    });
    const { error, access_token } = tokens.data as { error?: unknown; access_token?: unknown };
    if (BAD_CODE.has(error)) throw refused();
    if (typeof access_token !== 'string') throw fault('It gave no access token');
    return tokens;
  });
}
