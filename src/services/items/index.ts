import type { Cache } from '../../core/cache.ts';
import type { Config } from '../../core/config/config.ts';
import type { Db } from '../../core/db/db.ts';
import type { FairTurns } from '../../core/fair-turns.ts';
import type { Log } from '../../core/log.ts';
import { createRunning } from '../../core/running.ts';
import type { Cursors } from '../../core/security/cursors.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import { createViewers } from '../../core/viewers.ts';
import { createIdempotency, createIdempotencyPurge } from '../idempotency.ts';
import type { Quotas } from '../quotas.ts';
import { createItemBatch } from './batch.ts';
import { createItemChanges } from './changes.ts';
import { createEventRetention } from './event-retention.ts';
import { createItemEvents } from './events.ts';
import { createItemExport } from './export.ts';
import { createItemImport } from './import.ts';
import { createItems } from './items.ts';
import { createItemList } from './list/list.ts';
import { createItemPopular } from './popular.ts';
import { popularIds } from './popular-watch.ts';
import { createItemPurge } from './purge.ts';
import { createItemRevisions } from './revisions.ts';
import { createSearchReindex } from './search-index.ts';
import { createItemStats } from './stats.ts';
import { createItemViewing } from './viewing.ts';
import { createItemViews } from './views.ts';
import { createItemWindows } from './windows.ts';

export interface ItemServicesDeps {
  config: Config;
  db: Db;
  cursors: Cursors;
  turns: FairTurns;
  cache: Cache;
  log: Log;
  quotas: Quotas;
  box: SecretBox;
  now(): Date;
}

/** The services of items, each from what stands above it, and the work that comes round again. */
export function createItemServices(base: ItemServicesDeps) {
  const { config, cursors, db, now, turns } = base;
  const views = createItemViews({ ...base, isStrict: config.viewsMode === 'strict' });
  const kit = { ...base, views, popularTtlMs: config.popularTtlSeconds * 1000 };
  const viewersFor = (seconds: number) => createViewers({ windowMs: seconds * 1000, now });
  const itemEvents = createItemEvents({ ...base, popularIds: () => popularIds(db) });
  const { publish } = itemEvents;
  const changes = createItemChanges({ ...base, publish, maxRevisions: config.quotaRevisions });
  return {
    views,
    itemEvents,
    itemRevisions: createItemRevisions({ db, cursors, views, changes }),
    items: createItems({
      ...kit,
      changes,
      viewers: viewersFor(config.viewWindowV1Seconds),
    }),
    itemList: createItemList({ db, cursors, views, turns }),
    itemBatch: createItemBatch({ db, changes }),
    itemImport: createItemImport({ db, changes }),
    itemExport: createItemExport({ db }),
    idempotency: createIdempotency({ ...base, running: createRunning() }),
    popular: createItemPopular(kit),
    itemStats: createItemStats(kit),
    itemViewing: createItemViewing({ ...kit, viewers: viewersFor(config.viewWindowSeconds) }),
    jobs: [
      createItemPurge(base),
      createSearchReindex(base),
      createItemWindows(base),
      createEventRetention(base),
      createIdempotencyPurge(base),
    ],
  };
}
