/** The routes that need no token. Every other one does: test/api/access.test.ts pins this list. */
export const PUBLIC_ROUTES = [
  'GET /health/live',
  'GET /health/ready',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/*',
  'GET /swagger',
  'GET /verify',
  'GET /reset',
  'GET /confirm-email',
  'GET /sign-in',
  'GET /pages/*',
  'POST /api/v1/users/',
  'POST /api/v1/login/access-token',
  'GET /api/v1/items/',
  'GET /api/v1/items/popular',
  'GET /api/v1/items/:item_id',
  'GET /api/v2/items/popular',
  'GET /api/v2/system/version',
  'POST /api/v2/auth/register',
  'POST /api/v2/auth/login',
  'POST /api/v2/auth/passkeys/login/options',
  'POST /api/v2/auth/passkeys/login',
  'GET /api/v2/auth/providers',
  'POST /api/v2/auth/identities/login/options',
  'POST /api/v2/auth/identities/login',
  'POST /api/v2/auth/identities/return',
  'POST /api/v2/auth/verification/confirm',
  'POST /api/v2/auth/password/forgot',
  'POST /api/v2/auth/password/reset',
  'POST /api/v2/auth/email/confirm',
];

/** Public while registration is open, else for admins. */
export const SIGN_UP_ROUTES = ['POST /api/v1/users/', 'POST /api/v2/auth/register'];

/** The routes that answer anyone and show its own to who is known. */
export const OPTIONAL_ROUTES = [
  'GET /api/v2/items',
  'GET /api/v2/items/:item_id',
  'GET /api/v2/items/:item_id/stats',
  'POST /api/v2/items/:item_id/views',
  'GET /api/v2/items/events',
];

/** The routes that need an admin's token. */
export const ADMIN_ROUTES = [
  'GET /api/v1/users/',
  'GET /api/v2/system/stats',
  'GET /api/v2/users',
  'POST /api/v2/users',
  'GET /api/v2/users/:user_id',
  'PATCH /api/v2/users/:user_id',
  'DELETE /api/v2/users/:user_id',
  'DELETE /api/v2/users/:user_id/sessions',
  'GET /api/v2/audit-log',
];

/** What a personal access token needs for a route; on any other one it is refused. */
export const TOKEN_SCOPES: Record<string, string> = {
  'POST /api/v1/items/': 'items:write',
  'PUT /api/v1/items/:item_id': 'items:write',
  'DELETE /api/v1/items/:item_id': 'items:write',
  'GET /api/v1/external/': 'external:read',
  'GET /api/v1/users/': 'admin',
  'POST /api/v1/users/': 'admin',
  'GET /api/v1/users/:user_id': 'users:read',
  'POST /api/v2/items': 'items:write',
  'POST /api/v2/items/batch': 'items:write',
  'POST /api/v2/items/import': 'items:write',
  'GET /api/v2/items/export': 'items:read',
  'GET /api/v2/items': 'items:read',
  'GET /api/v2/items/:item_id': 'items:read',
  'PATCH /api/v2/items/:item_id': 'items:write',
  'DELETE /api/v2/items/:item_id': 'items:write',
  'POST /api/v2/items/:item_id/restore': 'items:write',
  'GET /api/v2/items/:item_id/stats': 'items:read',
  'POST /api/v2/items/:item_id/views': 'items:read',
  'GET /api/v2/items/:item_id/revisions': 'items:read',
  'POST /api/v2/items/:item_id/revisions': 'items:write',
  'GET /api/v2/items/events': 'items:read',
  'GET /api/v2/users/me': 'users:read',
  'GET /api/v2/system/stats': 'admin',
  'GET /api/v2/users': 'admin',
  'POST /api/v2/users': 'admin',
  'GET /api/v2/users/:user_id': 'admin',
  'PATCH /api/v2/users/:user_id': 'admin',
  'DELETE /api/v2/users/:user_id': 'admin',
  'DELETE /api/v2/users/:user_id/sessions': 'admin',
  'GET /api/v2/audit-log': 'admin',
};
