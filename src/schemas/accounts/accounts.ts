import { t } from 'elysia';
import { SecondFactorCode } from '../auth/totp.ts';
import { Choice, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';

const username = Text({ minLength: 3, maxLength: 50, elysiaMeta: 'name', examples: ['ada'] });
const password = Text({ minLength: 8, maxLength: 128, examples: ['straw-and-carrots'] });
/** A password that was set under any rule. */
const givenPassword = Text({ minLength: 1, maxLength: 128, examples: ['straw-and-carrots'] });

/** How the token of a new session is given. */
const transport = t.Optional(
  Choice('Transport', ['bearer', 'cookie'], {
    default: 'bearer',
    description: 'bearer: in the answer. cookie: for a browser, where no script can read it.',
  }),
);

/** What v2 calls an account when it is one's own. */
export const OwnAccount = t.Object(
  {
    id: Integer({ examples: [1] }),
    email: t.String({ examples: ['ada@example.com'] }),
    username: t.String({ examples: ['ada'] }),
    role: Choice('Role', ['user', 'admin']),
    email_verified: t.Boolean(),
    has_password: t.Boolean(),
    created_at: Timestamp(),
    updated_at: Timestamp(),
  },
  { title: 'OwnAccount' },
);

export const Register = t.Object(
  {
    email: Text({ minLength: 3, maxLength: 254, format: 'email', examples: ['ada@example.com'] }),
    username,
    password,
    transport,
  },
  { title: 'Register' },
);

export const Login = t.Object(
  {
    login: Text({
      minLength: 1,
      maxLength: 254,
      description: 'Email or username.',
      examples: ['ada'],
    }),
    password: givenPassword,
    code: t.Optional(SecondFactorCode),
    device_token: t.Optional(
      Text({
        minLength: 1,
        maxLength: 200,
        description:
          "The one of an earlier sign-in. With it, strangers' failures do not refuse this one.",
      }),
    ),
    transport,
  },
  { title: 'Login' },
);

export const OpenedSession = t.Object(
  {
    token: t.Optional(t.String({ examples: ['m4o2QfZ0Zl5Xv1yD0Qx6cG5w9b2sT8rJ3kLhPnEuVaI'] })),
    token_type: Choice('Transport', ['bearer', 'cookie']),
    account: OwnAccount,
    device_token: t.Optional(
      t.String({
        description:
          'Keep it and send it with the next sign-in: it tells the account that the device is known. Not with a cookie session, where it is a cookie too.',
        examples: ['1.abc'],
      }),
    ),
  },
  { title: 'OpenedSession' },
);

const Session = t.Object(
  {
    id: Integer(),
    is_current: t.Boolean(),
    created_at: Timestamp(),
    last_used_at: Timestamp(),
    user_agent: t.Union([t.String(), t.Null()]),
    address: t.Union([t.String(), t.Null()]),
  },
  { title: 'Session' },
);

export const Sessions = t.Object({ data: t.Array(Session) });
export const SessionParams = t.Object({
  session_id: IntegerText({ minimum: 1, description: 'The id of a session of the account.' }),
});
export const EndedSessions = t.Object({ ended: Integer() });

export const AccountUpdate = t.Object({ username }, { title: 'AccountUpdate' });
export const PasswordChange = t.Object(
  { current_password: givenPassword, new_password: password },
  { title: 'PasswordChange' },
);
export const AccountDeletion = t.Object({ password: givenPassword }, { title: 'AccountDeletion' });

/** What a personal access token may be given. */
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
        description: 'Settings may allow less, for admins too: 90 by default.',
      }),
    ),
    password: t.Optional(
      Text({
        minLength: 1,
        maxLength: 128,
        description:
          "The account's password. It may be left out by a session that proved a second factor within the last 10 minutes, and for an account without a password by one that is not older.",
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

export const AccountExport = t.Object({
  exported_at: Timestamp(),
  account: OwnAccount,
  authenticator: t.Union([
    t.Object({ created_at: Timestamp(), confirmed_at: t.Union([Timestamp(), t.Null()]) }),
    t.Null(),
  ]),
  usage: t.Union([t.Record(t.String(), t.Any()), t.Null()]),
  items: t.Array(t.Record(t.String(), t.Any())),
  revisions: t.Array(t.Record(t.String(), t.Any())),
  identities: t.Array(t.Record(t.String(), t.Any())),
  passkeys: t.Array(t.Record(t.String(), t.Any())),
  sessions: t.Array(t.Record(t.String(), t.Any())),
  tokens: t.Array(t.Record(t.String(), t.Any())),
  audit_log: t.Array(t.Record(t.String(), t.Any())),
});
export type AccountExport = typeof AccountExport.static;

/** The answer of what leaves nothing to say: 204. */
export const NoContent = t.Void();
