import type { Definition } from '../../resources/declare/definition.ts';
import { listed, namesOf } from '../../resources/declare/words.ts';
import type { Access } from '../plugins/access-rules.ts';

export const DESCRIPTION = `Accounts, items, popularity and outside APIs in one binary.

v1 is wire-compatible with the FastAPI guide that Hutch re-creates. v2 is the current contract; its
errors are RFC 9457 problems.`;

/** Returns the groups of operations; each resource has one. */
export function tagsOf(definitions: readonly Definition[]) {
  return [...definitions.map(tagOf), ...TAGS];
}

function tagOf(definition: Definition) {
  const { name, hasHistory, hasViews, hasEvents } = definition;
  const options = [
    ...(hasHistory ? ['history'] : []),
    ...(hasViews ? ['views'] : []),
    ...(hasEvents ? ['events'] : []),
    ...(hasViews ? ['popularity'] : []),
  ];
  const { many } = namesOf(definition);
  const title = many.charAt(0).toUpperCase() + many.slice(1);
  const ending = options.length > 0 ? ` with their ${listed(options, 'and')}` : '';
  return { name, description: `${title}${ending}.` };
}

const TAGS = [
  { name: 'users', description: 'Accounts: your own; for admins, all of them.' },
  { name: 'auth', description: 'Sign-up, sign-in, sessions, second factors and passkeys.' },
  { name: 'tokens', description: 'Personal access tokens, for programs.' },
  { name: 'sources', description: 'Outside APIs that an admin defines and callers use by name.' },
  { name: 'webhooks', description: 'Receivers of events, which an admin defines, and their log.' },
  { name: 'external', description: 'Outside APIs, fetched by URL.' },
  { name: 'login', description: 'The sign-in of v1.' },
  { name: 'jobs', description: 'Background work: what waits, runs and has failed.' },
  { name: 'system', description: 'The server: its version, health and statistics.' },
];

/** Texts for the access levels of operations. */
export const ACCESS_TEXTS: Record<Access, string> = {
  public: 'Anyone may call it.',
  optional: 'Anyone may call it; signed-in callers may see more.',
  user: 'Only signed-in callers may call it.',
  admin: 'Only admins may call it.',
  'sign-up': 'Anyone may call it while registration is open; otherwise only admins.',
};

export const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token from signing in.' },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-hutch',
    description: 'The session of a browser; its name is hutch_session on a server without https.',
  },
  password: {
    type: 'oauth2',
    description: 'Signs in and uses the token.',
    flows: { password: { tokenUrl: '/api/v1/login/access-token', scopes: {} } },
  },
};

export const SECURITY = [{ bearer: [] }, { cookie: [] }, { password: [] }];

/** Returns a text about the personal access tokens that may call an operation. */
export function scopeText(access: Access, scope: string | undefined): string {
  if (access === 'public') return '';
  if (scope === undefined) return 'Personal access tokens are refused.';
  return scope === '*'
    ? 'The source decides which scope a personal access token needs.'
    : `A personal access token needs the scope \`${scope}\`.`;
}
