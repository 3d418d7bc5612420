import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { isSafeUrl } from '../../utils/http/loopback.ts';
import { HOUR_MS } from '../../utils/time/units.ts';
import {
  type AuthorizationRequest,
  type CodeExchange,
  fault,
  type ProviderCalls,
  type ProviderClient,
  type ProviderProfile,
  refused,
} from './client.ts';

/** The time for which a discovery document is cached. */
const DISCOVERY_MS = HOUR_MS;
const TIMEOUT_MS = 10_000;
const CLOCK_TOLERANCE_SECONDS = 60;
/** Signatures by a shared secret, or none at all, would let anybody issue tokens. */
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA'.split(' ');

export interface OidcOptions {
  calls: ProviderCalls;
  /** The base URL of the discovery document. */
  issuer: string;
  /** Returns true if the document may name this issuer; by default only `issuer` itself. */
  isAllowedIssuer?(issuer: string): boolean;
  /** True if the ID token is complete: the userinfo endpoint is not called. */
  isTokenComplete?: boolean;
  client: ProviderClient;
  /** Returns true if the provider has verified the address in these claims. */
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

type DiscoveredProvider = Discovery & { keys: JWTVerifyGetKey };

const jose = () => import('jose');

/** An OpenID provider: a signed ID token identifies the user. */
export function oidc(options: OidcOptions) {
  const discovered = createDiscovery(options);
  return {
    begin: async (request: AuthorizationRequest): Promise<URL> => {
      const { authorization_endpoint } = await discovered();
      const url = options.client.authorizationUrl(authorization_endpoint, request);
      url.searchParams.set('nonce', request.nonce);
      return url;
    },
    finish: async (exchange: CodeExchange): Promise<ProviderProfile> => {
      const provider = await discovered();
      const { token_endpoint, token_endpoint_auth_methods_supported: methods } = provider;
      const tokens = await options.client.exchange(token_endpoint, exchange, methods);
      const claims = await verify(options, provider, tokens.idToken, exchange.nonce);
      return profileOf(options, await withEmail(options, provider, claims, tokens.accessToken));
    },
  };
}

/** Concurrent calls share one request; it is repeated after a failure or an hour. */
function createDiscovery(options: OidcOptions): () => Promise<DiscoveredProvider> {
  let latest: { since: number; known: Promise<DiscoveredProvider> } | undefined;
  return () => {
    const at = options.now().getTime();
    const age = latest ? at - latest.since : -1;
    // The age is negative after the clock was set back.
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

async function discover({
  calls,
  issuer,
  isAllowedIssuer,
}: OidcOptions): Promise<DiscoveredProvider> {
  const bare = (url: unknown) => String(url).replace(/\/$/, '');
  const url = `${bare(issuer)}/.well-known/openid-configuration`;
  const found = ((await calls.getJson(url)) ?? {}) as Discovery;
  const { createRemoteJWKSet, customFetch } = await jose();
  const fetchKeys = async (url: string) => Response.json(await calls.getJson(url));
  return calls.run(async () => {
    const isIt = isAllowedIssuer ?? ((named: string) => bare(named) === bare(issuer));
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

/** Returns the claims of an ID token if it is signed, current, for this client and for this sign-in. */
async function verify(
  { calls, client, now }: OidcOptions,
  { issuer, keys }: DiscoveredProvider,
  token: unknown,
  nonce: string,
): Promise<Claims> {
  const { jwtVerify, errors } = await jose();
  return calls.run(async () => {
    if (typeof token !== 'string') throw fault('It sent no ID token');
    const { payload } = await jwtVerify<Claims>(token, keys, {
      algorithms: ALGORITHMS,
      audience: client.id,
      currentDate: now(),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['sub', 'iat', 'exp'],
    }).catch((error: unknown) => {
      // These errors are about fetching the keys, not about the token.
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

/** Some providers send the address only from the userinfo endpoint, which must name the same user. */
async function withEmail(
  { calls, isTokenComplete }: OidcOptions,
  { userinfo_endpoint }: DiscoveredProvider,
  claims: Claims,
  accessToken: string,
): Promise<Claims> {
  if (isTokenComplete || claims['email'] !== undefined || !userinfo_endpoint) return claims;
  const headers = { authorization: `Bearer ${accessToken}` };
  const info = (await calls.getJson(userinfo_endpoint, headers)) as Claims | null;
  if (info?.sub !== claims.sub) throw refused();
  return { ...info, ...claims };
}

/** Subjects are unique per issuer only, and the settings allow several issuers. */
function profileOf({ isEmailVerified }: OidcOptions, claims: Claims): ProviderProfile {
  const { iss, sub, email, preferred_username, nickname, name } = claims;
  return {
    subject: `${iss} ${sub}`,
    email: typeof email === 'string' ? email : null,
    is_email_verified: isEmailVerified(claims),
    names: [preferred_username, nickname, email, name].filter((it) => typeof it === 'string'),
  };
}
