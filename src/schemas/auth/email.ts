import { t } from 'elysia';
import { Text } from '../kinds.ts';

const token = Text({
  minLength: 1,
  maxLength: 256,
  description: 'The token in the mail.',
  examples: ['m4o2QfZ0Zl5Xv1yD0Qx6cG5w9b2sT8rJ3kLhPnEuVaI'],
});
const password = Text({ minLength: 8, maxLength: 128, examples: ['straw-and-carrots'] });
/** An existing password, set under any rule. */
const existingPassword = Text({ minLength: 1, maxLength: 128, examples: ['straw-and-carrots'] });

/** The response of operations by mail: the same whatever the outcome. */
export const Accepted = t.Object({ message: t.String() }, { title: 'Accepted' });

export const EmailConfirmation = t.Object(
  {
    token,
    password: t.Optional(
      Text({
        minLength: 1,
        maxLength: 128,
        description:
          "The account's password. Without it, everything set up before the address was confirmed ends: sessions, tokens, passkeys, linked identities and the password.",
        examples: ['straw-and-carrots'],
      }),
    ),
  },
  { title: 'EmailConfirmation' },
);

export const EmailConfirmed = t.Object(
  {
    kept: t.Boolean({ description: 'True if sessions, tokens and the password still work.' }),
    reset_token: t.Union([t.String(), t.Null()], {
      description: 'If they do not: a token to set a new password within 30 minutes.',
    }),
  },
  { title: 'EmailConfirmed' },
);

export const ForgottenPassword = t.Object(
  {
    login: Text({
      minLength: 1,
      maxLength: 254,
      description: 'Email or username.',
      examples: ['ada'],
    }),
  },
  { title: 'ForgottenPassword' },
);

export const PasswordReset = t.Object(
  { token, new_password: password },
  { title: 'PasswordReset' },
);

export const EmailChange = t.Object(
  {
    new_email: Text({
      minLength: 3,
      maxLength: 254,
      format: 'email',
      examples: ['ada@example.org'],
    }),
    password: existingPassword,
  },
  { title: 'EmailChange' },
);

export const EmailChangeConfirmation = t.Object(
  { token, password: existingPassword },
  { title: 'EmailChangeConfirmation' },
);
