export { type AccessToken, accessTokens } from './access-tokens.ts';
export { type ActionToken, actionTokens } from './action-tokens.ts';
export { type AuditEntry, auditLog } from './audit-log.ts';
export { type AuthFlow, authFlows } from './auth-flows.ts';
export { type IdempotencyKey, idempotencyKeys } from './idempotency.ts';
export { type Identity, identities } from './identities.ts';
export {
  type ItemEvent,
  type ItemRevision,
  type ItemRow,
  type ItemViewsRow,
  itemDays,
  itemEvents,
  itemHours,
  itemRevisions,
  items,
  itemTags,
  itemViews,
  MAX_DATA_BYTES,
  type NewItemRow,
  searchReindex,
  type ViewSweep,
  type Visibility,
  viewSweeps,
} from './items.ts';
export { type Mail, mails } from './mails.ts';
export { type Passkey, passkeys } from './passkeys.ts';
export { rowCounts, SEGMENT_BITS } from './row-counts.ts';
export { serverKeys } from './server-keys.ts';
export { type Session, sessions } from './sessions.ts';
export { type SignInFailures, signInFailures } from './sign-in-failures.ts';
export { type SignUpKey, signUpKeys } from './sign-up-keys.ts';
export { type SourceCalls, type SourceRow, sourceCalls, sources } from './sources.ts';
export { recoveryCodes, type Totp, totps } from './totp.ts';
export {
  type AccountUsage,
  accountRemovals,
  accountUsage,
  type NewUser,
  type Role,
  type User,
  users,
} from './users.ts';
