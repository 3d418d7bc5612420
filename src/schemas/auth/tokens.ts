import { t } from 'elysia';
import { Choice, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';

/** A scope of personal access tokens; each resource has two. */
export type Scope = Scopes['any'];

/** A member, not an alias: the compiler prints an alias by its name, which the client package lacks. */
interface Scopes {
  any: `${string}:read` | `${string}:write` | 'admin';
}

/** The scopes besides those of resources. */
const FIXED = ['external:read', 'users:read', 'admin'] as const;

/** Returns the schema of a new token. `resources` are the names of all resources. */
export function tokenCreate(resources: readonly string[]) {
  const scopes: Scope[] = resources.flatMap((name) => [`${name}:read`, `${name}:write`] as const);
  const known = [...scopes, ...FIXED];
  return t.Object(
    {
      name: Text({ minLength: 1, maxLength: 100, examples: ['backup script'] }),
      scopes: t.Array(Choice<Scope>('TokenScope', known), {
        minItems: 1,
        maxItems: known.length,
        uniqueItems: true,
      }),
      expires_in_days: EXPIRY,
      password: PASSWORD,
    },
    { title: 'TokenCreate' },
  );
}

const EXPIRY = t.Optional(
  Integer({
    minimum: 1,
    maximum: 365,
    default: 90,
    description: 'Settings may allow fewer, also for admins: 90 by default.',
  }),
);

const PASSWORD = t.Optional(
  Text({
    minLength: 1,
    maxLength: 128,
    description:
      "The account's password. Optional if this session proved a second factor within the last 10 minutes or, for an account without a password, was opened within them.",
    examples: ['straw-and-carrots'],
  }),
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
