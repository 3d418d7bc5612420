import { createAccessChanges } from '../services/access-changes.ts';
import { createAccessTokens } from '../services/access-tokens.ts';
import { createAccount } from '../services/account.ts';
import { createAccountExport } from '../services/account-export.ts';
import { type AccountRemovalDeps, createAccountRemoval } from '../services/account-removal.ts';
import { createAccountUsage, createAdminUsage } from '../services/account-usage.ts';
import { createActionTokens } from '../services/action-tokens.ts';
import { createAdminUsers } from '../services/admin-users.ts';
import { createAudit } from '../services/audit.ts';
import { createAuditLog } from '../services/audit-log.ts';
import { createAuditRetention } from '../services/audit-retention.ts';
import { createAuth } from '../services/auth.ts';
import { createAuthFlows } from '../services/auth-flows.ts';
import { createDevices } from '../services/devices.ts';
import { createEmailFlows } from '../services/email-flows.ts';
import { createExternal } from '../services/external.ts';
import { createHousekeeping } from '../services/housekeeping.ts';
import { createIdentities } from '../services/identities.ts';
import { createIdentityProviders } from '../services/identity-providers.ts';
import { createItemServices } from '../services/item-services.ts';
import { createMailPurge } from '../services/mail-backlog.ts';
import { createOperatorAdmins } from '../services/operator-admins.ts';
import { createOperatorUsers } from '../services/operator-users.ts';
import { createOutgoingMail } from '../services/outgoing-mail.ts';
import { createOwnTokens } from '../services/own-tokens.ts';
import { createPasskeys } from '../services/passkeys.ts';
import { weaknessOf } from '../services/password-policy.ts';
import { createQuotas, type Quotas } from '../services/quotas.ts';
import { sessionLimits } from '../services/session-limits.ts';
import { createSessionPurge } from '../services/session-purge.ts';
import { createSessions } from '../services/sessions.ts';
import { createSignUpOnce, createSignUpPurge } from '../services/sign-up-once.ts';
import { createSourceGateway } from '../services/source-gateway.ts';
import { createSystemStats } from '../services/system-stats.ts';
import { createSignInThrottle } from '../services/throttle.ts';
import { createTotps } from '../services/totp.ts';
import { createTwoFactor } from '../services/two-factor.ts';
import { createUsageCheck } from '../services/usage-check.ts';
import { createUsers } from '../services/users.ts';
import { createUsersImport } from '../services/users-import.ts';
import { runAll } from '../utils/run-all.ts';
import { isAdminFactorRequired } from './account-settings.ts';
import { createAdmission } from './admission.ts';
import { type DepsOptions, openBase } from './base.ts';
import type { Config } from './config.ts';
import { createLimits } from './limits.ts';
import type { Log } from './log.ts';
import { VERSION } from './version.ts';

/** Everything that the application is made of; `close` ends it in the right order. */
export type Deps = ReturnType<typeof createDeps>;

/** The composition root. Opens and migrates the database of `config`. Throws StartupError. */
export function createDeps(config: Config, options: DepsOptions) {
  const { log, now = () => new Date() } = options;
  // With port 0 the system chooses one, which the server enters here once it listens.
  const listening = { port: config.port };
  // The server sets it before it stops.
  const lifecycle = { isStopping: false };
  const quotas = createQuotas(config);
  const opened = openBase(config, options);
  const base = { config, log, now, listening, lifecycle, quotas, ...opened };
  const services = createServices(base);
  return {
    version: VERSION,
    ...base,
    limits: config.rateLimit === 'on' ? createLimits(config) : undefined,
    admission:
      config.admissionControl === 'on'
        ? createAdmission({ log, backlog: base.db.writes })
        : undefined,
    ...services,
    // A step that fails, as a flush on a full disk, keeps none of those after it from their work.
    close: () =>
      runAll(
        [
          services.itemEvents.stop,
          services.housekeeping.stop,
          services.sourceRefresh.stop,
          services.sourceStats.flush,
          services.views.flush,
          services.emailFlows.idle,
          services.mails.stop,
          () => base.outbound.close(),
          () => base.trustedOutbound.close(),
          base.eventLine.note,
          base.db.close,
        ],
        (error) => log.error('A step of stopping failed; the others go on.', { error }),
      ),
  };
}

type Base = ReturnType<typeof openBase> & {
  config: Config;
  log: Log;
  now(): Date;
  listening: { port: number };
  quotas: Quotas;
};

/** The services, each from what stands above it. */
function createServices(base: Base) {
  const { log, outbound } = base;
  const { chores: itemChores, ...items } = createItemServices(base);
  const kit = createKit(base, items.itemEvents.publish);
  const { users, sessions, accessTokens, accessChanges, removal, throttle } = kit;
  const { chores: gatewayChores, ...gateway } = createSourceGateway(kit);
  const chores = [
    removal.chore,
    accessChanges.chore,
    throttle.chore,
    createSessionPurge(base),
    createSignUpPurge(base),
    createAuditRetention(base),
    createMailPurge(base),
    base.eventLine.chore,
    ...itemChores,
    ...gatewayChores,
  ];
  return {
    users,
    sessions,
    accessTokens,
    accessChanges,
    ...items,
    ...gateway,
    housekeeping: createHousekeeping({ log, chores }),
    external: createExternal({ outbound }),
    ...createSignIn(kit),
    ...createAdministration(kit),
  };
}

/** What all that concerns accounts is made from. */
function createKit(base: Base, publish: AccountRemovalDeps['publish']) {
  const { config, log, now, db } = base;
  const audit = createAudit(base);
  const mail = createOutgoingMail(base);
  const common = { ...mail, db, log, audit, now, accessChanges: createAccessChanges({ db }) };
  const sessions = createSessions({ ...common, limits: sessionLimits(config) });
  const maxDays = { user: config.tokenDays, admin: config.adminTokenDays };
  return {
    ...base,
    ...common,
    removal: createAccountRemoval({ ...base, ...common, publish }),
    sessions,
    devices: createDevices({ sessions, now }),
    accessTokens: createAccessTokens({ ...base, ...common, maxDays }),
    users: createUsers({ ...base, audit }),
    throttle: createSignInThrottle(base),
    isAdminFactorRequired: isAdminFactorRequired(config),
    isVerificationRequired: config.emailVerification === 'required',
  };
}

type Kit = ReturnType<typeof createKit>;

/** Ways in, and what an account does to itself. */
function createSignIn(base: Kit) {
  const kit = { ...base, actionTokens: createActionTokens(base) };
  const totps = createTotps(kit);
  const account = createAccount(kit);
  const emailFlows = createEmailFlows(kit);
  const { prove, proveRecently } = account;
  const flows = createAuthFlows(kit);
  const isRegistrationOpen = kit.config.registration === 'open';
  const providers = createIdentityProviders(kit);
  return {
    mails: kit.mails,
    notices: kit.notices,
    account,
    accountExport: createAccountExport(kit),
    emailFlows,
    auth: createAuth({ ...kit, totps, signUp: emailFlows.signUp }),
    signUpOnce: createSignUpOnce({ ...kit, totps }),
    operatorAdmins: createOperatorAdmins(kit),
    operatorUsers: createOperatorUsers(kit),
    ownTokens: createOwnTokens({ ...kit, proveRecently }),
    twoFactor: createTwoFactor({ ...kit, totps, prove }),
    passkeys: createPasskeys({ ...kit, flows, prove }),
    identities: createIdentities({ ...kit, flows, providers, prove, isRegistrationOpen }),
  };
}

/** What admins and the commands do to accounts. */
function createAdministration(kit: Kit) {
  return {
    adminUsers: createAdminUsers(kit),
    auditLog: createAuditLog(kit),
    accountUsage: createAccountUsage(kit),
    adminUsage: createAdminUsage(kit),
    usageCheck: createUsageCheck(kit),
    systemStats: createSystemStats(kit),
    usersImport: createUsersImport(kit),
    weaknessOf,
  };
}
