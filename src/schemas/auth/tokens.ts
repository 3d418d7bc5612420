import { t } from 'elysia';
import { Choice, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';

/** The scopes of personal access tokens. */
const Scope = Choice('TokenScope', [
  'items:read',
  'items:write',
  'external:read',
  'users:read',
  'admin',
]);
export type Scope = typeof Scope.static;

export const TokenCreate = t.Object(
  {
    name: Text({ minLength: 1, maxLength: 100, examples: ['backup script'] }),
    scopes: t.Array(Scope, { minItems: 1, maxItems: 5, uniqueItems: true }),
    expires_in_days: t.Optional(
      Integer({
        minimum: 1,
        maximum: 365,
        default: 90,
        description: 'Settings may allow fewer, also for admins: 90 by default.',
      }),
    ),
    password: t.Optional(
      Text({
        minLength: 1,
        maxLength: 128,
        description:
          "The account's password. Optional if this session proved a second factor within the last 10 minutes or, for an account without a password, was opened within them.",
        examples: ['straw-and-carrots'],
      }),
    ),
  },
  { title: 'TokenCreate' },
);

const tokenInfo = {
  id: Integer(),
  name: t.String(),
  prefix: t.String({ examples: ['hut_m4o2QfZ0'] }),
  scopes: t.Array(t.String()),
  created_at: Timestamp(),
  expires_at: Timestamp(),
  last_used_at: t.Union([t.String(), t.Null()]),
};

const Token = t.Object(tokenInfo, { title: 'Token' });
export const Tokens = t.Object({ data: t.Array(Token) });
export const CreatedToken = t.Object(
  {
    ...tokenInfo,
    token: t.String({ examples: ['hut_m4o2QfZ0Zl5Xv1yD0Qx6cG5w9b2sT8rJ3kLhPnEuVaI'] }),
  },
  { title: 'CreatedToken' },
);
export const TokenParams = t.Object({
  token_id: IntegerText({ minimum: 1, description: 'The id of a token of the account.' }),
});
