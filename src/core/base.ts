import { createCache } from './cache.ts';
import type { Config } from './config/config.ts';
import { databasePath } from './db/data-dir.ts';
import { openDb, prepareDb, upgradeDb } from './db/db.ts';
import { KNOWN_MIGRATIONS } from './db/migrations.ts';
import type { FolderSchema } from './db/schema/upgrade.ts';
import { openEventIds } from './event-ids.ts';
import { createFairTurns } from './fair-turns.ts';
import { createJobQueue } from './jobs/queue.ts';
import { createLinks } from './links.ts';
import type { Log } from './log.ts';
import { createMailer } from './mail/index.ts';
import { createOutboundClients } from './outbound/index.ts';
import { createLookup } from './outbound/lookup.ts';
import { createCursors, cursorSecret } from './security/cursors.ts';
import { createSecretBox } from './security/secret-box.ts';
import { createPasswordHasher, type PasswordHasher } from './security/security.ts';

export interface DepsOptions {
  log: Log;
  now?: () => Date;
  passwords?: PasswordHasher;
  /** The needs of a folder of resources in the database. Without them, only this build's migrations run. */
  folder?: FolderSchema;
  /** True for a command next to a server: it pauses between its transactions. */
  isCommand?: boolean;
}

interface BaseOptions extends DepsOptions {
  /** The tables of events, whose ids clients resume after. */
  eventTables: readonly string[];
}

export type Base = ReturnType<typeof openBase>;

/** Opens what all services share. Opens and migrates the database. Throws StartupError. */
export function openBase(config: Config, options: BaseOptions) {
  const { log, now = () => new Date(), passwords, isCommand = false } = options;
  const { smtpUrl, mailFrom: from, appName, dataDir } = config;
  const { secretsKey: key, secretsKeyOld: oldKey } = config;
  const lookup = createLookup();
  const mailer = createMailer({ smtpUrl, from, appName, dataDir, log, lookup });
  const path = databasePath(config.dataDir);
  const applied = prepare(path, options);
  const db = openDb(path, { log, isCommand });
  const isNew = applied.length === KNOWN_MIGRATIONS.length;
  // With port 0 the system chooses one, which the server enters here once it listens.
  const listening = { port: config.port };
  const box = createSecretBox({ key, oldKey, dataDir });
  return {
    config,
    log,
    now,
    listening,
    links: createLinks(config, listening),
    // The server sets it before it stops.
    lifecycle: { isStopping: false },
    db,
    box,
    queue: createJobQueue({ box, now }),
    eventIds: openEventIds({ path, db, log, isNew, now, tables: options.eventTables }),
    cursors: createCursors(cursorSecret(db.client)),
    turns: createFairTurns(),
    mailer,
    cache: createCache({
      maxEntries: config.cacheMaxEntries,
      maxBytes: config.cacheMaxBytes,
      now: () => performance.now(),
    }),
    passwords: passwords ?? createPasswordHasher({ concurrency: config.hashConcurrency }),
    ...createOutboundClients(config, lookup),
  };
}

/** Brings the database up to this version and to the folder; returns the applied migrations of this build. */
function prepare(path: string, { log, folder }: DepsOptions): string[] {
  const { core, migrations, steps, notices } = folder
    ? upgradeDb(path, folder)
    : { core: prepareDb(path), migrations: [], steps: [], notices: [] };
  const applied = [...core, ...migrations.map((tag) => `migrations/${tag}.sql`)];
  if (applied.length > 0) log.info('Migrated the database.', { migrations: applied, path });
  if (steps.length > 0) log.info('Changed the schema for the resources.', { statements: steps });
  for (const notice of notices) log.warn(notice);
  return core;
}
