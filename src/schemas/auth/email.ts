import { t } from 'elysia';
import { Text } from '../kinds.ts';

const token = Text({
  minLength: 1,
  maxLength: 256,
  description: 'From the mail.',
  examples: ['m4o2QfZ0Zl5Xv1yD0Qx6cG5w9b2sT8rJ3kLhPnEuVaI'],
});
const password = Text({ minLength: 8, maxLength: 128, examples: ['straw-and-carrots'] });
/** A password that was set under any rule. */
const givenPassword = Text({ minLength: 1, maxLength: 128, examples: ['straw-and-carrots'] });

/** The answer of what is done by mail: the same whatever became of it. */
export const Accepted = t.Object({ message: t.String() }, { title: 'Accepted' });

export const EmailConfirmation = t.Object(
  {
    token,
    password: t.Optional(
      Text({
        minLength: 1,
        maxLength: 128,
        description:
          "The account's password. Without it, what was set up before the address was confirmed ends: sessions, tokens, passkeys, linked sign-ins and the password.",
        examples: ['straw-and-carrots'],
      }),
    ),
  },
  { title: 'EmailConfirmation' },
);

export const EmailConfirmed = t.Object(
  {
    kept: t.Boolean({ description: 'Whether sessions, tokens and the password still work.' }),
    reset_token: t.Union([t.String(), t.Null()], {
      description: 'Where they do not: sets a new password, within 30 minutes.',
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
    password: givenPassword,
  },
  { title: 'EmailChange' },
);

export const EmailChangeConfirmation = t.Object(
  { token, password: givenPassword },
  { title: 'EmailChangeConfirmation' },
);
