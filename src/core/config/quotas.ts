import { setting, wholeNumber } from './setting.ts';

const MOST = 1e14;

/** The settings of quotas per account, and of retention. */
export const QUOTA_SETTINGS = {
  quotaItems: setting(
    'HUTCH_QUOTA_ITEMS',
    100_000,
    wholeNumber(1, MOST),
    'Items of one account, including the bin. Admins are exempt from this and the next three.',
  ),
  quotaBytes: setting(
    'HUTCH_QUOTA_BYTES',
    1_073_741_824,
    wholeNumber(1, MOST),
    'Bytes of text of one account: items, including the bin, and their history.',
  ),
  quotaIdempotencyKeys: setting(
    'HUTCH_QUOTA_IDEMPOTENCY_KEYS',
    100_000,
    wholeNumber(1, MOST),
    'Responses stored for the Idempotency-Keys of one account, each for 24 hours.',
  ),
  quotaIdempotencyBytes: setting(
    'HUTCH_QUOTA_IDEMPOTENCY_BYTES',
    134_217_728,
    wholeNumber(1, MOST),
    'Bytes of those responses.',
  ),
  quotaRevisions: setting(
    'HUTCH_QUOTA_REVISIONS',
    200,
    wholeNumber(1, 1_000_000),
    'Changes stored in the history of an item; older ones are deleted.',
  ),
  quotaSessions: setting(
    'HUTCH_QUOTA_SESSIONS',
    100,
    wholeNumber(1, 10_000),
    'Sessions of one account; a further one ends the least recently used.',
  ),
  quotaTokens: setting(
    'HUTCH_QUOTA_TOKENS',
    100,
    wholeNumber(1, 10_000),
    'Unexpired personal access tokens of one account.',
  ),
  quotaPasskeys: setting(
    'HUTCH_QUOTA_PASSKEYS',
    20,
    wholeNumber(1, 1_000),
    'Passkeys of one account.',
  ),
  quotaIdentities: setting(
    'HUTCH_QUOTA_IDENTITIES',
    10,
    wholeNumber(1, 1_000),
    'Identities at sign-in providers linked to one account.',
  ),
  quotaAuditEntries: setting(
    'HUTCH_QUOTA_AUDIT_ENTRIES',
    5_000,
    wholeNumber(1, 100_000),
    'Audited actions of one account on itself per 24 hours; beyond it exports, renames and tokens are rejected.',
  ),
  auditDays: setting(
    'HUTCH_AUDIT_DAYS',
    365,
    wholeNumber(30, 36_500),
    'Days after which entries of the audit log are deleted.',
  ),
  minFreeBytes: setting(
    'HUTCH_MIN_FREE_BYTES',
    268_435_456,
    wholeNumber(0, MOST),
    'Free disk space below which only admins can store more; others get 507.',
  ),
};
