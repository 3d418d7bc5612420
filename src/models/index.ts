export { type AccessToken, accessTokens } from './access-tokens.ts';
export { accountRemovals } from './account-removals.ts';
export { type AccountUsage, accountUsage } from './account-usage.ts';
export { type ActionToken, actionTokens } from './action-tokens.ts';
export { type AuditEntry, auditLog } from './audit-log.ts';
export { type AuthFlow, authFlows } from './auth-flows.ts';
export { type Identity, identities } from './identities.ts';
export {
  type IdempotencyKey,
  type ItemEvent,
  type ItemRevision,
  idempotencyKeys,
  itemEvents,
  itemRevisions,
} from './item-history.ts';
export {
  type ItemViewsRow,
  itemDays,
  itemHours,
  itemViews,
  type ViewSweep,
  viewSweeps,
} from './item-views.ts';
export {
  type ItemRow,
  items,
  itemTags,
  MAX_DATA_BYTES,
  type NewItemRow,
  type Visibility,
} from './items.ts';
export { type Mail, mails } from './mails.ts';
export { type Passkey, passkeys } from './passkeys.ts';
export { rowCounts, SEGMENT_BITS } from './row-counts.ts';
export { searchReindex } from './search-reindex.ts';
export { serverKeys } from './server-keys.ts';
export { type Session, sessions } from './sessions.ts';
export { type SignInFailures, signInFailures } from './sign-in-failures.ts';
export { type SignUpKey, signUpKeys } from './sign-up-keys.ts';
export { type SourceCalls, type SourceRow, sourceCalls, sources } from './sources.ts';
export { recoveryCodes, type Totp, totps } from './totp.ts';
export { type NewUser, type Role, type User, users } from './users.ts';
