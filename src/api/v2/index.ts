import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { createAdminUserRoutes } from './accounts/admin.ts';
import { createAuditLogRoutes } from './accounts/audit-log.ts';
import { createOwnAccountRoutes } from './accounts/own.ts';
import { createAccountUsageRoutes } from './accounts/usage.ts';
import { createAuthRoutes } from './auth/auth.ts';
import { createCredentialRoutes } from './auth/credentials.ts';
import { createEmailChangeRoutes, createEmailVerificationRoutes } from './auth/email.ts';
import { createIdentityRoutes } from './auth/identities.ts';
import { createIdentityLoginRoutes } from './auth/identity-login.ts';
import { createPasskeyLoginRoutes } from './auth/passkey-login.ts';
import { createPasskeyRoutes } from './auth/passkeys.ts';
import { createPasswordRecoveryRoutes } from './auth/password-recovery.ts';
import { createSessionRoutes } from './auth/sessions.ts';
import { createTokenRoutes } from './auth/tokens.ts';
import { createTotpRoutes } from './auth/totp.ts';
import { createItemBatchRoutes } from './items/batch.ts';
import { createItemBinRoutes } from './items/bin.ts';
import { createItemChangeRoutes } from './items/changes.ts';
import { createItemEventRoutes } from './items/events.ts';
import { createItemRoutes } from './items/items.ts';
import { createItemListRoutes } from './items/list.ts';
import { createPopularItemRoutes } from './items/popular.ts';
import { createItemRevisionRoutes } from './items/revisions.ts';
import { createItemStatsRoutes } from './items/stats.ts';
import { createItemTransferRoutes } from './items/transfer.ts';
import { createItemViewRoutes } from './items/views.ts';
import { createJobRoutes } from './jobs/jobs.ts';
import { createSourceCallRoutes } from './sources/calls.ts';
import { createSourceDefinitionRoutes } from './sources/definitions.ts';
import { createSourceReportRoutes } from './sources/reports.ts';
import { createSourceRoutes } from './sources/sources.ts';
import { createSystemRoutes } from './system.ts';

/** The routes of v2. They are a list, because TypeScript can follow a chain of at most 31. */
export const v2 = (deps: Deps) =>
  new Elysia({ prefix: '/api/v2' }).use([
    createAuthRoutes(deps),
    createSessionRoutes(deps),
    createEmailVerificationRoutes(deps),
    createEmailChangeRoutes(deps),
    createPasswordRecoveryRoutes(deps),
    createTotpRoutes(deps),
    createPasskeyLoginRoutes(deps),
    createPasskeyRoutes(deps),
    createIdentityLoginRoutes(deps),
    createIdentityRoutes(deps),
    createOwnAccountRoutes(deps),
    createAccountUsageRoutes(deps),
    createAdminUserRoutes(deps),
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
    createJobRoutes(deps),
    createSystemRoutes(deps),
  ]);
