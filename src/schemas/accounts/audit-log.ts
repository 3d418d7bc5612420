import { t } from 'elysia';
import { Page } from '../common.ts';
import { AUDIT_FILTERS } from '../filters.ts';
import { Integer, IntegerText, Text, Timestamp } from '../kinds.ts';
import { Cursor, FilteredQuery, PageLimit, QueryTime } from '../list-query.ts';

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

const query = {
  actor_id: t.Optional(IntegerText({ minimum: 1, description: 'The account that acted.' })),
  user_id: t.Optional(IntegerText({ minimum: 1, description: 'The account that was affected.' })),
  action: t.Optional(
    Text({
      minLength: 1,
      maxLength: 50,
      description: 'The kind of action.',
      examples: ['session.refused'],
    }),
  ),
  from: QueryTime('At this time or later.'),
  until: QueryTime('Before this time.'),
  limit: PageLimit,
  cursor: Cursor,
};

export const AuditQuery = FilteredQuery(query, AUDIT_FILTERS, [
  'action in session.opened,session.refused',
  'at gte 2026-11-22',
]);
