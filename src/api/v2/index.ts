import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { createAccountUsageRoutes } from './account-usage.ts';
import { createAdminUserChangeRoutes } from './admin-user-acts.ts';
import { createAdminUserRoutes } from './admin-users.ts';
import { createAuditLogRoutes } from './audit-log.ts';
import { createAuthRoutes } from './auth.ts';
import { createEmailVerificationRoutes } from './auth-email.ts';
import { createEmailChangeRoutes } from './auth-email-change.ts';
import { createIdentityRoutes } from './auth-identities.ts';
import { createIdentityLoginRoutes } from './auth-identity-login.ts';
import { createPasskeyLoginRoutes } from './auth-passkey-login.ts';
import { createPasskeyRoutes } from './auth-passkeys.ts';
import { createPasswordRecoveryRoutes } from './auth-recovery.ts';
import { createSecondFactorRoutes } from './auth-second-factor.ts';
import { createSessionRoutes } from './auth-sessions.ts';
import { createTotpRoutes } from './auth-totp.ts';
import { createItemBatchRoutes } from './item-batch.ts';
import { createItemBinRoutes } from './item-bin.ts';
import { createItemChangeRoutes } from './item-changes.ts';
import { createItemEventRoutes } from './item-events.ts';
import { createItemListRoutes } from './item-list.ts';
import { createPopularItemRoutes } from './item-popular.ts';
import { createItemRevisionRoutes } from './item-revisions.ts';
import { createItemStatsRoutes } from './item-stats.ts';
import { createItemTransferRoutes } from './item-transfer.ts';
import { createItemViewRoutes } from './item-views.ts';
import { createItemRoutes } from './items.ts';
import { createSourceCallRoutes } from './source-calls.ts';
import { createSourceDefinitionRoutes } from './source-definitions.ts';
import { createSourceReportRoutes } from './source-reports.ts';
import { createSourceRoutes } from './sources.ts';
import { createSystemRoutes } from './system.ts';
import { createTokenRoutes } from './tokens.ts';
import { createCredentialRoutes } from './user-credentials.ts';
import { createUserRoutes } from './users.ts';

/**
 * v2: only the groups whose contract differs from v1's. They are a list and no chain, of which
 * TypeScript follows 31 at most.
 */
export const v2 = (deps: Deps) =>
  new Elysia({ prefix: '/api/v2' }).use([
    createAuthRoutes(deps),
    createSessionRoutes(deps),
    createEmailVerificationRoutes(deps),
    createEmailChangeRoutes(deps),
    createPasswordRecoveryRoutes(deps),
    createTotpRoutes(deps),
    createSecondFactorRoutes(deps),
    createPasskeyLoginRoutes(deps),
    createPasskeyRoutes(deps),
    createIdentityLoginRoutes(deps),
    createIdentityRoutes(deps),
    createUserRoutes(deps),
    createAccountUsageRoutes(deps),
    createAdminUserRoutes(deps),
    createAdminUserChangeRoutes(deps),
    createAuditLogRoutes(deps),
    createCredentialRoutes(deps),
    createTokenRoutes(deps),
    createItemRoutes(deps),
    createItemListRoutes(deps),
    createItemChangeRoutes(deps),
    createItemBinRoutes(deps),
    createPopularItemRoutes(deps),
    createItemStatsRoutes(deps),
    createItemViewRoutes(deps),
    createItemRevisionRoutes(deps),
    createItemEventRoutes(deps),
    createItemBatchRoutes(deps),
    createItemTransferRoutes(deps),
    createSourceRoutes(deps),
    createSourceDefinitionRoutes(deps),
    createSourceReportRoutes(deps),
    createSourceCallRoutes(deps),
    createSystemRoutes(deps),
  ]);
