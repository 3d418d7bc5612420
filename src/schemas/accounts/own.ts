import { t } from 'elysia';
import { Choice, Integer, Text, Timestamp } from '../kinds.ts';

export const Username = Text({
  minLength: 3,
  maxLength: 50,
  elysiaMeta: 'name',
  examples: ['ada'],
});
export const NewPassword = Text({ minLength: 8, maxLength: 128, examples: ['straw-and-carrots'] });
/** An existing password, which may predate the current rules. */
export const ExistingPassword = Text({
  minLength: 1,
  maxLength: 128,
  examples: ['straw-and-carrots'],
});

/** An account as its owner sees it. */
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

export const AccountUpdate = t.Object({ username: Username }, { title: 'AccountUpdate' });
export const PasswordChange = t.Object(
  { current_password: ExistingPassword, new_password: NewPassword },
  { title: 'PasswordChange' },
);
export const AccountDeletion = t.Object(
  { password: ExistingPassword },
  { title: 'AccountDeletion' },
);

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
