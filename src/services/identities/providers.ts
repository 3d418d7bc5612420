import type { Config } from '../../core/config/config.ts';
import { isConfigured, PROVIDER_NAMES, type ProviderName } from '../../core/config/providers.ts';
import type { Outbound } from '../../core/outbound/client.ts';
import { createProviderCalls, type ProviderCalls } from './calls.ts';
import { type Answering, type Asking, appleClient, pkceClient } from './client.ts';
import { discord, github } from './oauth.ts';
import { type Claims, oidc } from './oidc.ts';
import type { OutsideProfile } from './profile.ts';

/** One that signs people in. */
export interface IdentityProvider {
  name: ProviderName;
  title: string;
  /** Whether its answer comes as a form from its own page: then to this server itself. */
  returnsByForm: boolean;
  /** Where the browser is sent. Throws upstream_failed. */
  begin(asking: Asking): Promise<URL>;
  /** Who came back. Throws bad_credentials, upstream_failed. */
  finish(answering: Answering): Promise<OutsideProfile>;
}

export interface ProvidersDeps {
  config: Config;
  /** The way out to hosts that the operator names. */
  trustedOutbound: Pick<Outbound, 'call'>;
  now(): Date;
}

export type IdentityProviders = ReadonlyMap<string, IdentityProvider>;

/** Those of the settings, by name. Nothing is asked of them before the first sign-in. */
export function createIdentityProviders({
  config,
  trustedOutbound,
  now,
}: ProvidersDeps): IdentityProviders {
  const providers = PROVIDER_NAMES.filter((name) => isConfigured(config, name)).map((name) => {
    const title = name === 'oidc' ? config.oidcTitle : TITLES[name];
    const returnsByForm = name === 'apple';
    const calls = createProviderCalls(title, trustedOutbound);
    return { name, title, returnsByForm, ...MAKERS[name](config, now, calls) };
  });
  return new Map(providers.map((it) => [it.name, it]));
}

type Maker = (
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
/** The directory of all personal accounts; Microsoft has proved their addresses. */
const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';
const MICROSOFT_ISSUER =
  /^https:\/\/login\.microsoftonline\.com\/(\{tenantid\}|[\da-f-]{36})\/v2\.0$/;

const MAKERS: Record<ProviderName, Maker> = {
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
      // What it says of an address is said of the one in the token.
      isTokenAll: true,
      mayBe: (issuer) => MICROSOFT_ISSUER.test(issuer),
      isEmailVerified: (claims) => config.microsoftTrustEmail === 'on' || isProvedHere(claims),
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

/** Apple, for one, sends it as a text. */
function isEmailVerified(claims: Claims): boolean {
  return isTrue(claims['email_verified']);
}

/**
 * The admin of any directory may write any address into it (nOAuth): it counts only where
 * Microsoft says that its domain is the directory's own, or of a personal account.
 */
function isProvedHere(claims: Claims): boolean {
  return isTrue(claims['xms_edov']) || claims['tid'] === PERSONAL_TENANT;
}

function isTrue(claim: unknown): boolean {
  return claim === true || claim === 'true';
}
