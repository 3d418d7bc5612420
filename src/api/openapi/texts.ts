import type { Access } from '../plugins/access-rules.ts';

export const DESCRIPTION = `Accounts, items, what is popular, and outside APIs, from one binary.

v1 is wire-compatible with the FastAPI guide that Hutch re-creates; v2 is the contract we would
choose today: its errors are RFC 9457 problems.`;

export const TAGS = [
  { name: 'items', description: 'Items, their history, views and events, and what is popular.' },
  { name: 'users', description: 'Accounts: your own, and all of them for admins.' },
  { name: 'auth', description: 'Sign-up, sign-in, sessions, second factors and passkeys.' },
  { name: 'tokens', description: 'Personal access tokens, for programs.' },
  { name: 'sources', description: 'Outside APIs that an admin defines and callers use by name.' },
  { name: 'external', description: 'Outside APIs, fetched by URL.' },
  { name: 'login', description: 'Sign-in of v1.' },
  { name: 'system', description: 'The server: its version, health and statistics.' },
];

/** Says in words who may call an operation. */
export const ACCESS_TEXTS: Record<Access, string> = {
  public: 'Anyone may call it.',
  optional: 'Anyone may call it; a signed-in caller may see more.',
  user: 'For signed-in callers.',
  admin: 'For admins.',
  'sign-up': 'For anyone while registration is open, otherwise for admins.',
};

export const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token from signing in.' },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-hutch',
    description: 'A session of a browser; hutch_session on a server without https.',
  },
  password: {
    type: 'oauth2',
    description: 'Signs in and uses the token.',
    flows: { password: { tokenUrl: '/api/v1/login/access-token', scopes: {} } },
  },
};

export const SECURITY = [{ bearer: [] }, { cookie: [] }, { password: [] }];

/** Which tokens may call an operation, beside sessions. */
export function scopeText(access: Access, scope: string | undefined): string {
  if (access === 'public') return '';
  if (scope === undefined) return 'Personal access tokens are refused.';
  return scope === '*'
    ? 'The source decides which scope a personal access token needs.'
    : `A personal access token needs the scope \`${scope}\`.`;
}
