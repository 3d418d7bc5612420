import type { Access } from './access-rules.ts';

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

/** Who may call an operation, in words. */
export const ACCESS_TEXTS: Record<Access, string> = {
  public: 'Anyone may call it.',
  optional: 'Anyone may call it; a signed-in caller may see more.',
  user: 'For signed-in callers.',
  admin: 'For admins.',
  'sign-up': 'For anyone while registration is open, otherwise for admins.',
};

/** Parameters that mean the same wherever they stand. */
export const PARAMETER_TEXTS: Record<string, string> = {
  user_id: 'The id of the account.',
  item_id: 'The id of the item.',
  session_id: 'The id of the session.',
  passkey_id: 'The id of the passkey.',
  identity_id: 'The id of the linked account of a provider.',
  token_id: 'The id of the token.',
  name: 'The name of the source.',
  parameters: 'The parameters that the source defines, each by its name.',
  limit: 'At most so many results.',
  skip: 'How many results to leave out at the start.',
  role: 'Only accounts with this role.',
  is_active: 'Only accounts that may sign in, or only those that may not.',
  action: 'Only entries of this action.',
  count: 'exact: the response has the total, up to 100,000.',
  format: 'jsonl: one JSON object a line. csv: comma-separated values with a header.',
  dry_run: 'true: nothing is written; the response tells what would be.',
  hours: 'How many hours back from now.',
  window: 'The time that counts.',
  scope: 'Whose items.',
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
    ? 'A personal access token may have any scope.'
    : `A personal access token needs the scope \`${scope}\`.`;
}
