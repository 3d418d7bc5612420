import type { Resource } from '../resources/declare/definition.ts';
import * as builtIn from '../resources/index.ts';
import { checkTogether } from '../resources/together.ts';
import { createAccountServices } from '../services/accounts/index.ts';
import { createUsers } from '../services/accounts/users.ts';
import { createAuditServices } from '../services/audit/index.ts';
import { createAuthServices } from '../services/auth/index.ts';
import { createIdempotency, createIdempotencyPurge } from '../services/idempotency.ts';
import { createIdentityServices } from '../services/identities/index.ts';
import { createItemServices, itemExtras } from '../services/items/index.ts';
import { createJobServices } from '../services/jobs/index.ts';
import { createMailServices } from '../services/mail/index.ts';
import { createQuotas } from '../services/quotas.ts';
import {
  createResources,
  eventTableOf,
  type ResourceServices,
} from '../services/resources/index.ts';
import { schemaOf } from '../services/resources/schema.ts';
import { createExchange } from '../services/resources/transfer/exchange.ts';
import { createSourceServices } from '../services/sources/index.ts';
import { createSystemStats } from '../services/system-stats.ts';
import { createWebhookEvents } from '../services/webhooks/events.ts';
import { createWebhookServices } from '../services/webhooks/index.ts';
import { runAll } from '../utils/async/run-all.ts';
import { createAdmission } from './admission.ts';
import { type DepsOptions, openBase } from './base.ts';
import type { Config } from './config/config.ts';
import type { FolderSchema } from './db/schema/upgrade.ts';
import type { UserMigration } from './db/schema/user-migrations.ts';
import { createJobs } from './jobs/index.ts';
import { createLimits } from './limits.ts';
import { VERSION } from './version.ts';

/** A folder beside the binary. */
export interface Folder {
  /** Resources besides those of src/resources. */
  resources?: Readonly<Record<string, Resource>>;
  migrations?: readonly UserMigration[];
}

export type AppOptions = Omit<DepsOptions, 'folder'> & Folder;

/** All components of the application; `close` stops them in the right order. */
export type Deps = ReturnType<typeof createDeps>;

/** The composition root. Opens and migrates the database of `config`. Throws StartupError. */
export function createDeps(config: Config, options: AppOptions) {
  const all = [...Object.values(builtIn), ...Object.values(options.resources ?? {})];
  const definitions = all.map(({ definition }) => definition);
  checkTogether(definitions);
  const eventTables = definitions.filter(({ hasEvents }) => hasEvents).map(eventTableOf);
  // Commands that know no folder leave its tables alone.
  const folder = options.migrations && folderSchemaOf(options);
  const base = openBase(config, { ...options, eventTables, ...(folder && { folder }) });
  const webhookEvents = createWebhookEvents(base);
  const { notify: notifyWebhooks } = webhookEvents;
  const shared = { ...base, quotas: createQuotas(config), notifyWebhooks };
  const { log, db } = shared;
  const audit = createAuditServices(shared);
  const mail = createMailServices(shared);
  const resources = createResources(definitions, shared, { items: itemExtras(shared) });
  const idempotency = createIdempotency(shared);
  const exchange = createExchange(definitions, { ...shared, resources, idempotency });
  const items = createItemServices({ ...shared, resources });
  const sources = createSourceServices({ ...shared, ...audit });
  const users = createUsers({ ...shared, ...audit });
  const auth = createAuthServices({ ...shared, ...audit, ...mail, users });
  const accounts = createAccountServices({
    ...shared,
    ...audit,
    ...mail,
    ...auth,
    users,
    resources,
  });
  const identities = createIdentityServices({ ...shared, ...audit, ...mail, ...auth, users });
  const webhooks = createWebhookServices({
    ...shared,
    ...audit,
    ...mail,
    resources: resources.byName.values(),
    webhookEvents,
  });
  const jobs = createJobs({
    ...shared,
    recurring: [
      ...accounts.jobs,
      ...auth.jobs,
      ...audit.jobs,
      ...items.jobs,
      ...resources.jobs,
      ...exchange.jobs,
      ...sources.jobs,
      ...webhooks.jobs,
      createIdempotencyPurge(shared),
      shared.eventIds.job,
    ],
  });
  return {
    version: VERSION,
    ...shared,
    ...audit,
    ...mail,
    ...items,
    /** All resources, in the order of the document. */
    definitions,
    /** The lists, imports and exports of each resource, by its name. */
    exchange: exchange.byName,
    /** The services of each resource, by its name. */
    resources: Object.fromEntries(resources.byName) as Record<string, ResourceServices>,
    ...sources,
    ...webhooks,
    ...auth,
    ...accounts,
    ...identities,
    ...createJobServices({ ...shared, ...audit }),
    users,
    idempotency,
    systemStats: createSystemStats({ ...shared, jobs }),
    jobs,
    limits: config.rateLimit === 'on' ? createLimits(config) : undefined,
    admission:
      config.admissionControl === 'on' ? createAdmission({ log, backlog: db.writes }) : undefined,
    // If one step fails, such as a flush to a full disk, the others still run.
    close: () =>
      runAll(
        [
          resources.stop,
          auth.passwordRecovery.idle,
          jobs.stop,
          sources.sourceStats.flush,
          resources.flush,
          webhooks.webhookWorker.stop,
          () => shared.mailer.close(),
          () => shared.outbound.close(),
          () => shared.trustedOutbound.close(),
          shared.eventIds.note,
          db.close,
        ],
        (error) => log.error('A shutdown step failed; the others still run.', { error }),
      ),
  };
}

/** Returns what the resources and migrations of a folder need in the database. */
export function folderSchemaOf({ resources = {}, migrations = [] }: Folder): FolderSchema {
  const definitions = Object.values(resources).map(({ definition }) => definition);
  return { resources: definitions.map(schemaOf), migrations };
}
