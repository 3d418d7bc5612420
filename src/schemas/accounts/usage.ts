import { t } from 'elysia';
import { Integer } from '../kinds.ts';

const QuotaUse = t.Object(
  {
    used: Integer(),
    limit: t.Union([Integer(), t.Null()], { description: 'null for admins, who have no limit.' }),
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
      'Items count until they are erased, including those in the bin. Bytes are the UTF-8 length of their texts and their history. One session too many ends the least recently used one.',
  },
);

const limit = t.Optional(
  t.Union([Integer({ minimum: 0, maximum: 1e14 }), t.Null()], {
    description: 'null restores the limit of the settings.',
  }),
);

export const UsagePatch = t.Object(
  { items_limit: limit, bytes_limit: limit },
  { title: 'UsagePatch' },
);
