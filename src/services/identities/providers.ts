import type { Config } from '../../core/config/config.ts';
import { isConfigured, PROVIDER_NAMES, type ProviderName } from '../../core/config/providers.ts';
import type { Outbound } from '../../core/outbound/client.ts';
import {
  type AuthorizationRequest,
  appleClient,
  type CodeExchange,
  createProviderCalls,
  type ProviderCalls,
  type ProviderProfile,
  pkceClient,
} from './client.ts';
import { discord, github } from './oauth.ts';
import { type Claims, oidc } from './oidc.ts';

/** A provider of sign-in. */
export interface IdentityProvider {
  name: ProviderName;
  title: string;
  /** True if its page posts the response as a form, to this server itself. */
  returnsByForm: boolean;
  /** Returns the URL that the browser is sent to. Throws upstream_failed. */
  begin(request: AuthorizationRequest): Promise<URL>;
  /** Returns the profile of the user who returned. Throws bad_credentials, upstream_failed. */
  finish(exchange: CodeExchange): Promise<ProviderProfile>;
}

export interface ProvidersDeps {
  config: Config;
  /** Calls hosts that the operator configured. */
  trustedOutbound: Pick<Outbound, 'call'>;
  now(): Date;
}

export type IdentityProviders = ReadonlyMap<string, IdentityProvider>;

/** Returns the configured providers by name. None is called before the first sign-in. */
export function createIdentityProviders({
  config,
  trustedOutbound,
  now,
}: ProvidersDeps): IdentityProviders {
  const providers = PROVIDER_NAMES.filter((name) => isConfigured(config, name)).map((name) => {
    const title = name === 'oidc' ? config.oidcTitle : TITLES[name];
    const returnsByForm = name === 'apple';
    const calls = createProviderCalls(title, trustedOutbound);
    return { name, title, returnsByForm, ...FACTORIES[name](config, now, calls) };
  });
  return new Map(providers.map((it) => [it.name, it]));
}

type ProviderFactory = (
  config: Config,
  now: () => Date,
  calls: ProviderCalls,
) => Pick<IdentityProvider, 'begin' | 'finish'>;

const TITLES = {
  google: 'Google',
  github: 'GitHub',
  gitlab: 'GitLab',
  microsoft: 'Microsoft',
  apple: 'Apple',
  discord: 'Discord',
};

const OPENID = ['openid', 'email', 'profile'];
/** The directory of all personal accounts, whose addresses Microsoft has verified. */
const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';
const MICROSOFT_ISSUER =
  /^https:\/\/login\.microsoftonline\.com\/(\{tenantid\}|[\da-f-]{36})\/v2\.0$/;

const FACTORIES: Record<ProviderName, ProviderFactory> = {
  google: (config, now, calls) =>
    oidc({
      ...{ calls, now, issuer: 'https://accounts.google.com', isEmailVerified },
      client: pkceClient({ calls, scopes: OPENID, ...clientOf(config, 'google') }),
    }),
  github: (config, _now, calls) =>
    github(pkceClient({ calls, scopes: ['user:email'], ...clientOf(config, 'github') }), calls),
  gitlab: (config, now, calls) =>
    oidc({
      ...{ calls, now, issuer: config.gitlabUrl, isEmailVerified },
      client: pkceClient({ calls, scopes: OPENID, ...clientOf(config, 'gitlab') }),
    }),
  microsoft: (config, now, calls) =>
    oidc({
      ...{ calls, now },
      issuer: `https://login.microsoftonline.com/${config.microsoftTenant}/v2.0`,
      // Its claims about the address apply to the one in the token.
      isTokenComplete: true,
      isAllowedIssuer: (issuer) => MICROSOFT_ISSUER.test(issuer),
      isEmailVerified: (claims) =>
        config.microsoftTrustEmail === 'on' || isVerifiedByMicrosoft(claims),
      client: pkceClient({ calls, scopes: OPENID, ...clientOf(config, 'microsoft') }),
    }),
  apple: (config, now, calls) =>
    oidc({
      ...{ calls, now, issuer: 'https://appleid.apple.com', isEmailVerified },
      client: appleClient({
        calls,
        id: config.appleClientId,
        teamId: config.appleTeamId,
        keyId: config.appleKeyId,
        privateKey: config.applePrivateKey,
      }),
    }),
  discord: (config, _now, calls) =>
    discord(
      pkceClient({ calls, scopes: ['identify', 'email'], ...clientOf(config, 'discord') }),
      calls,
    ),
  oidc: (config, now, calls) =>
    oidc({
      ...{ calls, now, issuer: config.oidcIssuer },
      isEmailVerified: (claims) => config.oidcTrustEmail === 'on' || isEmailVerified(claims),
      client: pkceClient({ calls, scopes: OPENID, ...clientOf(config, 'oidc') }),
    }),
};

function clientOf(config: Config, name: Exclude<ProviderName, 'apple'>) {
  return { id: config[`${name}ClientId`], secret: config[`${name}ClientSecret`] };
}

/** Apple, among others, sends the claim as a string. */
function isEmailVerified(claims: Claims): boolean {
  return isTrue(claims['email_verified']);
}

/**
 * The admin of a directory can enter any address (nOAuth). It counts only if Microsoft confirms that
 * the directory owns its domain, or for a personal account.
 */
function isVerifiedByMicrosoft(claims: Claims): boolean {
  return isTrue(claims['xms_edov']) || claims['tid'] === PERSONAL_TENANT;
}

function isTrue(claim: unknown): boolean {
  return claim === true || claim === 'true';
}
