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

/** Groups of their own, because TypeScript follows no chain of more than 31. */
const accounts = (deps: Deps) =>
  new Elysia()
    .use(users(deps))
    .use(accountUsage(deps))
    .use(adminUsers(deps))
    .use(adminUserActs(deps))
    .use(auditLog(deps))
    .use(userCredentials(deps))
    .use(tokens(deps));

const secondFactor = (deps: Deps) => new Elysia().use(authTotp(deps)).use(authSecondFactor(deps));

/** v2: only the groups whose contract differs from v1's. */
export const v2 = (deps: Deps) =>
  new Elysia({ prefix: '/api/v2' })
    .use(auth(deps))
    .use(authSessions(deps))
    .use(authEmail(deps))
    .use(authEmailChange(deps))
    .use(authRecovery(deps))
    .use(secondFactor(deps))
    .use(authPasskeyLogin(deps))
    .use(authPasskeys(deps))
    .use(authIdentityLogin(deps))
    .use(authIdentities(deps))
    .use(accounts(deps))
    .use(items(deps))
    .use(itemList(deps))
    .use(new Elysia().use(itemChanges(deps)).use(itemBin(deps)))
    .use(itemPopular(deps))
    .use(itemStats(deps))
    .use(itemViews(deps))
    .use(itemRevisions(deps))
    .use(itemEvents(deps))
    .use(itemBatch(deps))
    .use(itemTransfer(deps))
    .use(sources(deps))
    .use(sourceDefinitions(deps))
    .use(sourceReports(deps))
    .use(sourceCalls(deps))
    .use(system(deps));
