import { t } from 'elysia';
import { ACCOUNT_FILTERS, AUDIT_FILTERS } from '../filters.ts';
import { Choice, Flag, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';
import { FilteredQuery, ListChoice } from '../list-query.ts';
import { Register } from './accounts.ts';

const Role = Choice('Role', ['user', 'admin']);
const limit = t.Optional(
  IntegerText({ minimum: 1, maximum: 100, default: 50, description: 'Entries per page, at most.' }),
);
const cursor = t.Optional(
  Text({
    minLength: 1,
    maxLength: 1024,
    description: `The next_cursor of the page before. A request looks at some 200,000 rows: a page whose
filters no index serves may be short while has_more is true.`,
  }),
);
const time = (description: string) =>
  t.Optional(
    Text({ minLength: 10, maxLength: 40, description, examples: ['2026-11-22T16:00:00.000Z'] }),
  );

/** Where a page of a v2 list stands. */
export const Page = t.Object(
  {
    next_cursor: t.Union([t.String(), t.Null()]),
    has_more: t.Boolean(),
    limit: Integer({ examples: [50] }),
  },
  { title: 'Page' },
);

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
    total: t.Optional(Integer({ description: 'With count=exact.' })),
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
  role: t.Optional({ ...Role, description: 'Accounts of this role alone.' }),
  is_active: t.Optional(
    Choice('BooleanText', ['true', 'false'], {
      description: 'true: accounts that may sign in. false: accounts that are disabled.',
    }),
  ),
  created_after: time('Made after this time.'),
  created_before: time('Made before this time.'),
  q: t.Optional(
    Text({
      minLength: 1,
      maxLength: 254,
      description: 'How the username or the email begins, without case.',
    }),
  ),
  sort: t.Optional(
    ListChoice(ACCOUNT_SORTS, {
      title: 'AccountSort',
      description: 'The order; `-` is descending. Default: id.',
    }),
  ),
  count: t.Optional(t.Literal('exact', { description: 'Adds total.' })),
  limit,
  cursor,
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

/** What an admin may change of an account; what is left out stays. */
export const AccountPatch = t.Object(
  {
    username: t.Optional(Register.properties.username),
    email_verified: t.Optional(Flag()),
    is_active: t.Optional(Flag()),
    role: t.Optional(Role),
  },
  { title: 'AccountPatch' },
);

const AuditEntry = t.Object(
  {
    id: Integer(),
    at: Timestamp(),
    actor_id: t.Union([Integer(), t.Null()]),
    action: t.String({ examples: ['user.created'] }),
    user_id: t.Union([Integer(), t.Null()]),
    address: t.Union([t.String(), t.Null()]),
    request_id: t.Union([t.String(), t.Null()]),
    details: t.Record(t.String(), t.Any()),
  },
  { title: 'AuditEntry' },
);

export const AuditEntries = t.Object(
  { data: t.Array(AuditEntry), page: Page },
  { title: 'AuditEntries' },
);

const acts = {
  actor_id: t.Optional(IntegerText({ minimum: 1, description: 'Who acted.' })),
  user_id: t.Optional(IntegerText({ minimum: 1, description: 'Whose account it was done to.' })),
  action: t.Optional(
    Text({
      minLength: 1,
      maxLength: 50,
      description: 'The kind of act.',
      examples: ['session.refused'],
    }),
  ),
  from: time('At this time or later.'),
  until: time('Before this time.'),
  limit,
  cursor,
};

export const AuditQuery = FilteredQuery(acts, AUDIT_FILTERS, [
  'action in session.opened,session.refused',
  'at gte 2026-11-22',
]);
