import { createPrivateKey } from 'node:crypto';
import { oneOf, type Parsed, type Setting, serviceUrl, setting, text } from './setting.ts';

/** The settings of sign-in providers; a provider is off until all of its settings are set. */
export const PROVIDER_SETTINGS = {
  ...client('google', 'Google'),
  ...client('github', 'GitHub'),
  ...client('gitlab', 'GitLab'),
  gitlabUrl: setting(
    'HUTCH_GITLAB_URL',
    'https://gitlab.com',
    serviceUrl,
    'Base URL of the GitLab for sign-in.',
  ),
  ...client('microsoft', 'Microsoft'),
  microsoftTenant: setting(
    'HUTCH_MICROSOFT_TENANT',
    'common',
    tenant,
    'Accounts that may sign in: common, organizations, consumers, or the id of one directory.',
  ),
  microsoftTrustEmail: trustEmail('HUTCH_MICROSOFT_TRUST_EMAIL', 'the directory'),
  appleClientId: setting('HUTCH_APPLE_CLIENT_ID', '', text(), 'Sign-in by Apple: the Services ID.'),
  appleTeamId: setting('HUTCH_APPLE_TEAM_ID', '', text(), 'Sign-in by Apple.'),
  appleKeyId: setting('HUTCH_APPLE_KEY_ID', '', text(), 'Sign-in by Apple.'),
  applePrivateKey: setting(
    'HUTCH_APPLE_PRIVATE_KEY',
    '',
    privateKey,
    'Sign-in by Apple: the content of its .p8 file.',
    { secret: true },
  ),
  ...client('discord', 'Discord'),
  oidcIssuer: setting(
    'HUTCH_OIDC_ISSUER',
    '',
    serviceUrl,
    'Any other OpenID provider, such as https://id.example.com/realms/staff.',
  ),
  ...client('oidc', 'that OpenID provider'),
  oidcTitle: setting('HUTCH_OIDC_TITLE', 'Single sign-on', text(), 'Its name for users.'),
  oidcTrustEmail: trustEmail('HUTCH_OIDC_TRUST_EMAIL', 'that OpenID provider'),
};

/** The required settings of each provider. */
const PARTS = {
  google: ['googleClientId', 'googleClientSecret'],
  github: ['githubClientId', 'githubClientSecret'],
  gitlab: ['gitlabClientId', 'gitlabClientSecret'],
  microsoft: ['microsoftClientId', 'microsoftClientSecret'],
  apple: ['appleClientId', 'appleTeamId', 'appleKeyId', 'applePrivateKey'],
  discord: ['discordClientId', 'discordClientSecret'],
  oidc: ['oidcIssuer', 'oidcClientId', 'oidcClientSecret'],
} as const;

export type ProviderName = keyof typeof PARTS;
type Part = (typeof PARTS)[ProviderName][number];
type Values = Readonly<Record<Part, string>>;

export const PROVIDER_NAMES = Object.keys(PARTS) as ProviderName[];

/** Returns true if all settings of a provider are set. */
export function isConfigured(config: Values, name: ProviderName): boolean {
  return PARTS[name].every((part) => config[part] !== '');
}

/** The providers with incomplete settings, one line each. */
export function providerProblems(config: Values): string[] {
  return PROVIDER_NAMES.filter(
    (name) => !isConfigured(config, name) && PARTS[name].some((part) => config[part] !== ''),
  ).map((name) => {
    const names = PARTS[name].map((part) => PROVIDER_SETTINGS[part].env);
    return `${names.slice(0, -1).join(', ')} and ${names.at(-1)} must be set together.`;
  });
}

type Client<P extends string> = Record<`${P}ClientId` | `${P}ClientSecret`, Setting<string>>;

function client<P extends string>(name: P, title: string): Client<P> {
  const env = `HUTCH_${name.toUpperCase()}_CLIENT`;
  const help = `Sign-in by ${title}.`;
  return {
    [`${name}ClientId`]: setting(`${env}_ID`, '', text(), help),
    [`${name}ClientSecret`]: setting(`${env}_SECRET`, '', text(), help, { secret: true }),
  } as Client<P>;
}

function trustEmail(env: string, who: string) {
  const help = `on: you vouch for each address from ${who}; off: only for those it verified.`;
  return setting(env, 'off', oneOf('on', 'off'), help);
}

function tenant(value: string): Parsed<string> {
  return /^[\w.-]{1,100}$/.test(value) ? { value } : { problem: 'must be the name of a tenant' };
}

/** Accepts a PEM on one line with `\n` for line ends too: some env files allow only this. */
function privateKey(value: string): Parsed<string> {
  const pem = value.replaceAll('\\n', '\n');
  try {
    const { asymmetricKeyDetails } = createPrivateKey(pem);
    if (asymmetricKeyDetails?.namedCurve === 'prime256v1') return { value: pem };
  } catch {
    // Reported below, without any part of the key.
  }
  return { problem: 'must be a private key for ES256 in PEM' };
}
