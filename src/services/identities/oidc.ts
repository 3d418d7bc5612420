import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { isSafeUrl } from '../../utils/http/loopback.ts';
import { HOUR_MS } from '../../utils/time/units.ts';
import { fault, type ProviderCalls, refused } from './calls.ts';
import type { Answering, Asking, ProviderClient } from './client.ts';
import type { OutsideProfile } from './profile.ts';

/** How long what a provider says of itself is believed. */
const DISCOVERY_MS = HOUR_MS;
const TIMEOUT_MS = 10_000;
const CLOCK_TOLERANCE_SECONDS = 60;
/** With a shared secret, or with none at all, anybody's token would do. */
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA'.split(' ');

export interface OidcOptions {
  calls: ProviderCalls;
  /** Where the discovery document is. */
  issuer: string;
  /** Whether the document may name this issuer; by default, the one above alone. */
  mayBe?(issuer: string): boolean;
  /** What the ID token leaves out is asked for at another endpoint, unless true. */
  isTokenAll?: boolean;
  client: ProviderClient;
  /** Whether the provider has proved that the address in these claims is its user's. */
  isEmailVerified(claims: Claims): boolean;
  now(): Date;
}

export type Claims = JWTPayload & Record<string, unknown>;

interface Discovery {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  jwks_uri: string;
  userinfo_endpoint?: string;
  token_endpoint_auth_methods_supported?: unknown;
}

type Known = Discovery & { keys: JWTVerifyGetKey };

const jose = () => import('jose');

/** An OpenID provider: who signs in is what a signed ID token says. */
export function oidc(options: OidcOptions) {
  const known = createDiscovery(options);
  return {
    begin: async (asking: Asking): Promise<URL> => {
      const { authorization_endpoint } = await known();
      const url = options.client.authorizationUrl(authorization_endpoint, asking);
      url.searchParams.set('nonce', asking.nonce);
      return url;
    },
    finish: async (answering: Answering): Promise<OutsideProfile> => {
      const provider = await known();
      const { token_endpoint, token_endpoint_auth_methods_supported: methods } = provider;
      const tokens = await options.client.exchange(token_endpoint, answering, methods);
      const claims = await verify(options, provider, tokens.idToken, answering.nonce);
      return profileOf(options, await withEmail(options, provider, claims, tokens.accessToken));
    },
  };
}

/** Asks once for all at once, and again after a failure or an hour. */
function createDiscovery(options: OidcOptions): () => Promise<Known> {
  let latest: { since: number; known: Promise<Known> } | undefined;
  return () => {
    const at = options.now().getTime();
    const age = latest ? at - latest.since : -1;
    // Negative when the clock was put back.
    if (latest && age >= 0 && age < DISCOVERY_MS) return latest.known;
    const known = discover(options);
    const entry = { since: at, known };
    latest = entry;
    known.catch(() => {
      if (latest === entry) latest = undefined;
    });
    return known;
  };
}

async function discover({ calls, issuer, mayBe }: OidcOptions): Promise<Known> {
  const bare = (url: unknown) => String(url).replace(/\/$/, '');
  const url = `${bare(issuer)}/.well-known/openid-configuration`;
  const found = ((await calls.getJson(url)) ?? {}) as Discovery;
  const { createRemoteJWKSet, customFetch } = await jose();
  const fetchKeys = async (url: string) => Response.json(await calls.getJson(url));
  return calls.run(async () => {
    const isIt = mayBe ?? ((named: string) => bare(named) === bare(issuer));
    if (!isIt(String(found.issuer))) throw fault('It names another issuer');
    const { authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint } = found;
    const urls = [authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint ?? jwks_uri];
    const parsed = urls.map((url) => URL.parse(url));
    if (!parsed.every((url) => url && isSafeUrl(url))) throw fault('It names an unsafe endpoint');
    const keys = createRemoteJWKSet(new URL(jwks_uri), {
      timeoutDuration: TIMEOUT_MS,
      [customFetch]: fetchKeys,
    });
    return { ...found, keys };
  });
}

/** The claims of an ID token that is the provider's, for us, of now and of this very sign-in. */
async function verify(
  { calls, client, now }: OidcOptions,
  { issuer, keys }: Known,
  token: unknown,
  nonce: string,
): Promise<Claims> {
  const { jwtVerify, errors } = await jose();
  return calls.run(async () => {
    if (typeof token !== 'string') throw fault('It gave no ID token');
    const { payload } = await jwtVerify<Claims>(token, keys, {
      algorithms: ALGORITHMS,
      audience: client.id,
      currentDate: now(),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['sub', 'iat', 'exp'],
    }).catch((error: unknown) => {
      // Those are of fetching the keys, and not of the token.
      const isOurs = error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid;
      const isOfToken = error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC';
      throw isOfToken && !isOurs ? refused() : error;
    });
    const isParty = !Array.isArray(payload.aud) || payload.aud.length === 1;
    const isForUs = isParty || payload['azp'] === client.id;
    const isItsOwn = payload.iss === issuer.replace('{tenantid}', String(payload['tid']));
    if (!isForUs || !isItsOwn || payload['nonce'] !== nonce) throw refused();
    return payload;
  });
}

/** Some providers keep the address for those who ask. It must be of the same user. */
async function withEmail(
  { calls, isTokenAll }: OidcOptions,
  { userinfo_endpoint }: Known,
  claims: Claims,
  accessToken: string,
): Promise<Claims> {
  if (isTokenAll || claims['email'] !== undefined || !userinfo_endpoint) return claims;
  const headers = { authorization: `Bearer ${accessToken}` };
  const info = (await calls.getJson(userinfo_endpoint, headers)) as Claims | null;
  if (info?.sub !== claims.sub) throw refused();
  return { ...info, ...claims };
}

/** A subject is one of its issuer: another one, under the same settings, may have the same. */
function profileOf({ isEmailVerified }: OidcOptions, claims: Claims): OutsideProfile {
  const { iss, sub, email, preferred_username, nickname, name } = claims;
  return {
    subject: `${iss} ${sub}`,
    email: typeof email === 'string' ? email : null,
    is_email_verified: isEmailVerified(claims),
    names: [preferred_username, nickname, email, name].filter((it) => typeof it === 'string'),
  };
}
