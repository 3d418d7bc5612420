import { createPrivateKey } from 'node:crypto';
import { AppError } from '../../core/exceptions.ts';
import type { Outbound, OutboundResponse } from '../../core/outbound/client.ts';
import { OutboundError } from '../../core/outbound/errors.ts';

/** An account at a provider, as the provider describes it. */
export interface ProviderProfile {
  /** The permanent id of the account at its provider. */
  subject: string;
  email: string | null;
  /** True if the provider has verified that the address belongs to the account. */
  is_email_verified: boolean;
  /** Candidates for the username, best first. */
  names: string[];
}

/** The parameters of an authorization request. */
export interface AuthorizationRequest {
  state: string;
  verifier: string;
  nonce: string;
  redirect_uri: string;
}

/** The code of a provider's response, with the stored parameters of its request. */
export interface CodeExchange {
  code: string;
  verifier: string;
  nonce: string;
  redirect_uri: string;
}

export interface Tokens {
  accessToken: string;
  /** The value that the provider sent, possibly undefined or malformed. */
  idToken: unknown;
}

/** The registration of this server at a provider. */
export interface ProviderClient {
  readonly id: string;
  authorizationUrl(endpoint: string, request: AuthorizationRequest): URL;
  /**
   * Exchanges a code for tokens. `authMethods` are the ones that the provider lists, if any. Throws
   * bad_credentials for a refused code, and upstream_failed.
   */
  exchange(endpoint: string, exchange: CodeExchange, authMethods?: unknown): Promise<Tokens>;
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
      return requiresSecretInBody(authMethods)
        ? exchangeCode(calls, endpoint, { ...form, client_id: id, client_secret: secret })
        : exchangeCode(calls, endpoint, form, { authorization: basic(id, secret) });
    },
  };
}

/** RFC 6749, 2.3.1: both parts are form-encoded before they are joined. */
function basic(id: string, secret: string): string {
  const pair = [id, secret].map(formEncoded).join(':');
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function formEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%20', '+');
}

/** Basic is the default of discovery, and every OAuth server must support it. */
function requiresSecretInBody(methods: unknown): boolean {
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

/** Apple supports no PKCE, and its client secret is a token signed for each exchange. */
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
        return exchangeCode(calls, endpoint, form);
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

/** The errors for an invalid code. GitHub has its own, and sends errors with status 200. */
const BAD_CODE = new Set<unknown>(['invalid_grant', 'bad_verification_code']);

async function exchangeCode(
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
    if (typeof accessToken !== 'string') throw fault('It sent no access token');
    return { accessToken, idToken };
  });
}

function withParams(endpoint: string, params: Record<string, string>): URL {
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return url;
}

/** RFC 6749, 5.2: the only texts from a provider that may reach the log. */
const OAUTH_ERRORS = new Set([
  'invalid_request',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
]);
/** The statuses with which a token endpoint explains a refusal. */
const REFUSALS = [400, 401];

/** A failure of a provider, described in our own words. */
class ProviderFault extends Error {
  override readonly name = 'ProviderFault';
}

/** Calls to one provider. */
export interface ProviderCalls {
  /** Runs `work`; any error but an AppError becomes upstream_failed. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Sends GET and returns the JSON. Throws upstream_failed. */
  getJson(url: string, headers?: Record<string, string>): Promise<unknown>;
  /**
   * Posts a form to a token endpoint and returns its JSON, including that of a refusal (400, 401).
   * Throws upstream_failed.
   */
  postForm(
    url: string,
    form: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<TokenReply>;
}

export interface TokenReply {
  isRefusal: boolean;
  /** The members of the JSON object. */
  data: Record<string, unknown>;
}

/** Calls the provider with this title; its texts reach neither the client nor the log. */
export function createProviderCalls(
  title: string,
  outbound: Pick<Outbound, 'call'>,
): ProviderCalls {
  const owner = `provider ${title}`;
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof AppError) throw error;
      const cause = error instanceof ProviderFault ? error : new ProviderFault(reasonOf(error));
      throw new AppError('upstream_failed', `${title} did not respond as expected`, { cause });
    }
  };
  return {
    run,
    getJson: (url, headers) => run(async () => (await outbound.call({ url, headers, owner })).data),
    postForm: (url, form, headers) =>
      run(async () => {
        const body = new URLSearchParams(form).toString();
        const type = { 'content-type': 'application/x-www-form-urlencoded' };
        const sent = { method: 'POST', headers: { ...type, ...headers }, body } as const;
        return tokenReply(await outbound.call({ url, ...sent, statuses: REFUSALS, owner }));
      }),
  };
}

function tokenReply({ status, data }: OutboundResponse): TokenReply {
  const isRefusal = REFUSALS.includes(status);
  const isObject = typeof data === 'object' && data !== null;
  if (!isObject) throw new ProviderFault(`It returned ${status} without a JSON object`);
  return { isRefusal, data: { ...data } };
}

/** The error for a response that a provider should not have sent. */
export function fault(message: string): Error {
  return new ProviderFault(message);
}

/** The error for an OAuth error that the user did not cause. */
function oauthFault(code: unknown): Error {
  return new ProviderFault(
    OAUTH_ERRORS.has(String(code)) ? `It failed with ${code}` : 'It refused the request',
  );
}

/** The error for an invalid code or token, which the client sent or could have caused. */
export function refused(): AppError {
  return new AppError('bad_credentials', 'The sign-in was refused');
}

function reasonOf(error: unknown): string {
  if (error instanceof OutboundError) {
    const { status, code } = error;
    return status === undefined ? `It failed with ${code}` : `It returned ${status}`;
  }
  const { code } = error as { code?: unknown };
  const isOurs = /^[A-Z]\w{2,40}$/.test(String(code));
  return isOurs ? `It failed with ${code}` : 'It could not be reached or understood';
}
