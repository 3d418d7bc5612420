import { t } from 'elysia';
import { Integer } from '../kinds.ts';

const QuotaUse = t.Object(
  {
    used: Integer(),
    limit: t.Union([Integer(), t.Null()], { description: 'null for an admin: no limit.' }),
  },
  { title: 'QuotaUse' },
);

export const Usage = t.Object(
  {
    items: QuotaUse,
    bytes: QuotaUse,
    idempotency_keys: QuotaUse,
    idempotency_bytes: QuotaUse,
    sessions: QuotaUse,
    tokens: QuotaUse,
    passkeys: QuotaUse,
    identities: QuotaUse,
  },
  {
    title: 'Usage',
    description:
      'Items count until they are erased, those in the bin too; bytes are those of their texts and of their history, in UTF-8. One session too many ends the least recently used one.',
  },
);

const limit = t.Optional(
  t.Union([Integer({ minimum: 0, maximum: 1e14 }), t.Null()], {
    description: 'null: the limit of the settings.',
  }),
);

export const UsagePatch = t.Object(
  { items_limit: limit, bytes_limit: limit },
  { title: 'UsagePatch' },
);
