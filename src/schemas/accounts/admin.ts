import { t } from 'elysia';
import { Register } from '../auth/sessions.ts';
import { Page } from '../common.ts';
import { ACCOUNT_FILTERS } from '../filters.ts';
import { Choice, Flag, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';
import { Cursor, FilteredQuery, ListChoice, PageLimit, QueryTime } from '../list-query.ts';
import { Username } from './own.ts';

const Role = Choice('Role', ['user', 'admin']);
/** An account as an admin sees it. */
export const Account = t.Object(
  {
    id: Integer({ examples: [1] }),
    email: t.String({ examples: ['ada@example.com'] }),
    username: t.String({ examples: ['ada'] }),
    role: Role,
    is_active: t.Boolean(),
    email_verified: t.Boolean(),
    has_password: t.Boolean(),
    created_at: Timestamp(),
    updated_at: Timestamp(),
  },
  { title: 'Account' },
);

export const Accounts = t.Object(
  {
    data: t.Array(Account),
    page: Page,
    total: t.Optional(Integer({ description: 'Present with count=exact.' })),
  },
  { title: 'Accounts' },
);

export const AccountParams = t.Object({
  user_id: IntegerText({ minimum: 1, description: 'The id of an account.' }),
});

export const ACCOUNT_SORTS = [
  'id',
  '-id',
  'created_at',
  '-created_at',
  'username',
  '-username',
] as const;

const accounts = {
  role: t.Optional({ ...Role, description: 'Only accounts with this role.' }),
  is_active: t.Optional(
    Choice('BooleanText', ['true', 'false'], {
      description: 'true: accounts that can sign in. false: disabled accounts.',
    }),
  ),
  created_after: QueryTime('Created after this time.'),
  created_before: QueryTime('Created before this time.'),
  q: t.Optional(
    Text({
      minLength: 1,
      maxLength: 254,
      description: 'A prefix of the username or the email, ignoring case.',
    }),
  ),
  sort: t.Optional(
    ListChoice(ACCOUNT_SORTS, {
      title: 'AccountSort',
      description: 'The order; `-` is descending. Default: id.',
    }),
  ),
  count: t.Optional(t.Literal('exact', { description: 'Adds total.' })),
  limit: PageLimit,
  cursor: Cursor,
};

export const AccountsQuery = FilteredQuery(accounts, ACCOUNT_FILTERS, [
  'email eq ada@example.com',
  'email_verified eq false',
]);

export const AccountCreate = t.Object(
  {
    ...Register.properties,
    role: t.Optional(Role),
    is_active: t.Optional(Flag({ default: true })),
  },
  { title: 'AccountCreate' },
);

/** The fields that an admin may change; omitted ones stay. */
export const AccountPatch = t.Object(
  {
    username: t.Optional(Username),
    email_verified: t.Optional(Flag()),
    is_active: t.Optional(Flag()),
    role: t.Optional(Role),
  },
  { title: 'AccountPatch' },
);
