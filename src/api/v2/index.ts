import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import type * as resources from '../../resources/index.ts';
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
import { createJobRoutes } from './jobs/jobs.ts';
import { mount } from './resources/mount.ts';
import type { Mounted } from './resources/tree.ts';
import { createSourceCallRoutes } from './sources/calls.ts';
import { createSourceDefinitionRoutes } from './sources/definitions.ts';
import { createSourceReportRoutes } from './sources/reports.ts';
import { createSourceRoutes } from './sources/sources.ts';
import { createSystemRoutes } from './system.ts';
import { createWebhookDeliveryRoutes } from './webhooks/deliveries.ts';
import { createWebhookRoutes } from './webhooks/webhooks.ts';

/**
 * The routes of v2. They are a list, because TypeScript can follow a chain of at most 31. Only built-in
 * resources have types here.
 */
export const v2 = (deps: Deps) => {
  const names = deps.definitions.map(({ name }) => name);
  return new Elysia({ prefix: '/api/v2' }).use([
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
    createTokenRoutes(deps, names),
    mount(deps) as Mounted<typeof resources>,
    createSourceRoutes(deps),
    createSourceDefinitionRoutes(deps),
    createSourceReportRoutes(deps),
    createSourceCallRoutes(deps),
    createJobRoutes(deps),
    createSystemRoutes(deps),
    createWebhookRoutes(deps),
    createWebhookDeliveryRoutes(deps),
  ]);
};
