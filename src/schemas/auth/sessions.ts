import { t } from 'elysia';
import { ExistingPassword, NewPassword, OwnAccount, Username } from '../accounts/own.ts';
import { Choice, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';
import { SecondFactorCode } from './totp.ts';

/** The way in which the token of a new session is returned. */
const transport = t.Optional(
  Choice('Transport', ['bearer', 'cookie'], {
    default: 'bearer',
    description: 'bearer: in the response. cookie: for browsers; scripts cannot read it.',
  }),
);

export const Register = t.Object(
  {
    email: Text({ minLength: 3, maxLength: 254, format: 'email', examples: ['ada@example.com'] }),
    username: Username,
    password: NewPassword,
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
    password: ExistingPassword,
    code: t.Optional(SecondFactorCode),
    device_token: t.Optional(
      Text({
        minLength: 1,
        maxLength: 200,
        description:
          "The device_token of an earlier sign-in. With it, strangers' failed sign-ins do not block this one.",
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
          'Store it and send it with the next sign-in, to be recognized as a known device. Absent for a cookie session, where it is a cookie too.',
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
