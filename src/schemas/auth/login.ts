import { t } from 'elysia';
import { Text } from '../kinds.ts';

/** OAuth2's password form, as FastAPI's OAuth2PasswordRequestForm reads it. */
export const LoginForm = t.Object(
  {
    username: Text({
      minLength: 1,
      maxLength: 254,
      description: 'Email or username.',
      examples: ['ada'],
    }),
    password: Text({ minLength: 1, maxLength: 128, examples: ['straw-and-carrots'] }),
    grant_type: t.Optional(Text({ maxLength: 20, examples: ['password'] })),
    scope: t.Optional(Text({ maxLength: 1000, examples: [''] })),
    client_id: t.Optional(Text({ maxLength: 254 })),
    client_secret: t.Optional(Text({ maxLength: 254 })),
  },
  { title: 'LoginForm' },
);

export const AccessToken = t.Object(
  {
    access_token: t.String({ examples: ['m4o2QfZ0Zl5Xv1yD0Qx6cG5w9b2sT8rJ3kLhPnEuVaI'] }),
    token_type: t.Literal('bearer'),
  },
  { title: 'AccessToken' },
);
