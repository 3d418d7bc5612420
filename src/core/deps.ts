import { createAdminUsers } from '../services/accounts/admin.ts';
import { createAccountExport } from '../services/accounts/export.ts';
import { createUsersImport } from '../services/accounts/import.ts';
import { createOperatorAdmins } from '../services/accounts/operator-admins.ts';
import { createOperatorUsers } from '../services/accounts/operator-users.ts';
import { createAccount } from '../services/accounts/own.ts';
import { weaknessOf } from '../services/accounts/password-policy.ts';
import { type AccountRemovalDeps, createAccountRemoval } from '../services/accounts/removal.ts';
import { createAccountUsage, createAdminUsage } from '../services/accounts/usage.ts';
import { createUsageCheck } from '../services/accounts/usage-check.ts';
import { createUsers } from '../services/accounts/users.ts';
import { createAudit } from '../services/audit/audit.ts';
import { createAuditLog } from '../services/audit/log.ts';
import { createAuditRetention } from '../services/audit/retention.ts';
import { createAccessChanges } from '../services/auth/access-changes.ts';
import { createAccessTokens } from '../services/auth/access-tokens.ts';
import { createActionTokens } from '../services/auth/action-tokens.ts';
import { createAuth } from '../services/auth/auth.ts';
import { createDevices } from '../services/auth/devices.ts';
import { createAuthFlows } from '../services/auth/flows.ts';
import { createOwnTokens } from '../services/auth/own-tokens.ts';
import { createPasskeys } from '../services/auth/passkeys.ts';
import { sessionLimits } from '../services/auth/session-limits.ts';
import { createSessionPurge } from '../services/auth/session-purge.ts';
import { createSessions } from '../services/auth/sessions.ts';
import { createSignInThrottle } from '../services/auth/throttle.ts';
import { createTotps } from '../services/auth/totp.ts';
import { createTwoFactor } from '../services/auth/two-factor.ts';
import { createEmailFlows } from '../services/email/flows.ts';
import { createSignUpOnce, createSignUpPurge } from '../services/email/sign-up-once.ts';
import { createIdentities } from '../services/identities/identities.ts';
import { createIdentityProviders } from '../services/identities/providers.ts';
import { createItemServices } from '../services/items/index.ts';
import { createHousekeeping } from '../services/jobs.ts';
import { createMailPurge } from '../services/mail/backlog.ts';
import { createOutgoingMail } from '../services/mail/index.ts';
import { createQuotas, type Quotas } from '../services/quotas.ts';
import { createExternal } from '../services/sources/external.ts';
import { createSourceGateway } from '../services/sources/index.ts';
import { createSystemStats } from '../services/system-stats.ts';
import { runAll } from '../utils/async/run-all.ts';
import { createAdmission } from './admission.ts';
import { type DepsOptions, openBase } from './base.ts';
import { isAdminFactorRequired } from './config/accounts.ts';
import type { Config } from './config/config.ts';
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
  const { jobs: itemJobs, ...items } = createItemServices(base);
  const kit = createKit(base, items.itemEvents.publish);
  const { users, sessions, accessTokens, accessChanges, removal, throttle } = kit;
  const { jobs: gatewayJobs, ...gateway } = createSourceGateway(kit);
  const jobs = [
    removal.job,
    accessChanges.job,
    throttle.job,
    createSessionPurge(base),
    createSignUpPurge(base),
    createAuditRetention(base),
    createMailPurge(base),
    base.eventLine.job,
    ...itemJobs,
    ...gatewayJobs,
  ];
  return {
    users,
    sessions,
    accessTokens,
    accessChanges,
    ...items,
    ...gateway,
    housekeeping: createHousekeeping({ log, jobs }),
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
