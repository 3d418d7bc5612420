import { createAuth } from '../services/auth.ts';
import { createExternal } from '../services/external.ts';
import { createItemViews } from '../services/item-views.ts';
import { createItems } from '../services/items.ts';
import { createUsers } from '../services/users.ts';
import { createCache } from './cache.ts';
import type { Config } from './config.ts';
import { databasePath } from './data-dir.ts';
import { openDb } from './db.ts';
import { createOutbound } from './http.ts';
import type { Log } from './log.ts';
import { migrate } from './migrations.ts';
import { createPasswordHasher, type PasswordHasher } from './security.ts';
import { VERSION } from './version.ts';

const DAY_MS = 86_400_000;

export interface DepsOptions {
  log: Log;
  now?: () => Date;
  passwords?: PasswordHasher;
}

/** Everything that the application is made of; `close` ends it in the right order. */
export type Deps = ReturnType<typeof createDeps>;

/** The composition root. Opens and migrates the database of `config`. Throws StartupError. */
export function createDeps(config: Config, options: DepsOptions) {
  const { log, now = () => new Date() } = options;
  const path = databasePath(config.dataDir);
  const db = openDb(path);
  const applied = migrate(db.client);
  if (applied.length > 0) log.info('Migrated the database.', { migrations: applied, path });
  const cache = createCache({
    maxEntries: config.cacheMaxEntries,
    maxBytes: config.cacheMaxBytes,
    now: () => performance.now(),
  });
  const passwords =
    options.passwords ?? createPasswordHasher({ concurrency: config.hashConcurrency });
  const outbound = createOutbound({
    version: VERSION,
    allowHosts: config.externalAllowHosts,
    deadlineMs: config.externalTimeoutMs,
    maxBytes: config.externalMaxBytes,
  });
  const users = createUsers({ db, passwords, now });
  const views = createItemViews({ db, log });
  return {
    version: VERSION,
    config,
    log,
    now,
    db,
    cache,
    users,
    views,
    auth: createAuth({ db, users, passwords, sessionMs: config.sessionDays * DAY_MS, now }),
    items: createItems({ db, cache, views, popularTtlMs: config.popularTtlSeconds * 1000, now }),
    external: createExternal({ outbound }),
    close: async () => {
      await views.flush();
      outbound.close();
      await db.close();
    },
  };
}
