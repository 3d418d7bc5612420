import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { accountUsage } from './account-usage.ts';
import { adminUserActs } from './admin-user-acts.ts';
import { adminUsers } from './admin-users.ts';
import { auditLog } from './audit-log.ts';
import { auth } from './auth.ts';
import { authEmail } from './auth-email.ts';
import { authEmailChange } from './auth-email-change.ts';
import { authIdentities } from './auth-identities.ts';
import { authIdentityLogin } from './auth-identity-login.ts';
import { authPasskeyLogin } from './auth-passkey-login.ts';
import { authPasskeys } from './auth-passkeys.ts';
import { authRecovery } from './auth-recovery.ts';
import { authSecondFactor } from './auth-second-factor.ts';
import { authSessions } from './auth-sessions.ts';
import { authTotp } from './auth-totp.ts';
import { itemBatch } from './item-batch.ts';
import { itemBin } from './item-bin.ts';
import { itemChanges } from './item-changes.ts';
import { itemEvents } from './item-events.ts';
import { itemList } from './item-list.ts';
import { itemPopular } from './item-popular.ts';
import { itemRevisions } from './item-revisions.ts';
import { itemStats } from './item-stats.ts';
import { itemTransfer } from './item-transfer.ts';
import { itemViews } from './item-views.ts';
import { items } from './items.ts';
import { sourceCalls } from './source-calls.ts';
import { sourceDefinitions } from './source-definitions.ts';
import { sourceReports } from './source-reports.ts';
import { sources } from './sources.ts';
import { system } from './system.ts';
import { tokens } from './tokens.ts';
import { userCredentials } from './user-credentials.ts';
import { users } from './users.ts';

/**
 * v2: only the groups whose contract differs from v1's. They are a list and no chain, of which
 * TypeScript follows 31 at most.
 */
export const v2 = (deps: Deps) =>
  new Elysia({ prefix: '/api/v2' }).use([
    auth(deps),
    authSessions(deps),
    authEmail(deps),
    authEmailChange(deps),
    authRecovery(deps),
    authTotp(deps),
    authSecondFactor(deps),
    authPasskeyLogin(deps),
    authPasskeys(deps),
    authIdentityLogin(deps),
    authIdentities(deps),
    users(deps),
    accountUsage(deps),
    adminUsers(deps),
    adminUserActs(deps),
    auditLog(deps),
    userCredentials(deps),
    tokens(deps),
    items(deps),
    itemList(deps),
    itemChanges(deps),
    itemBin(deps),
    itemPopular(deps),
    itemStats(deps),
    itemViews(deps),
    itemRevisions(deps),
    itemEvents(deps),
    itemBatch(deps),
    itemTransfer(deps),
    sources(deps),
    sourceDefinitions(deps),
    sourceReports(deps),
    sourceCalls(deps),
    system(deps),
  ]);
