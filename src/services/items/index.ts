import type { Base } from '../../core/base.ts';
import type { FullText } from '../../core/db/full-text.ts';
import { createViewers } from '../../core/viewers.ts';
import { items } from '../../resources/items.ts';
import type { Quotas } from '../quotas.ts';
import { createResourceExport } from '../resources/export.ts';
import { fullTextOf } from '../resources/search/pending.ts';
import { createSearchReindex } from '../resources/search/reindex.ts';
import { createItemBatch } from './batch.ts';
import { createEventRetention } from './change-events.ts';
import { createItemChanges } from './changes.ts';
import { createItemEvents } from './events.ts';
import { createItemImport } from './import.ts';
import { createItems } from './items.ts';
import { createItemList, type ItemFilterField } from './list.ts';
import { createItemPopular } from './popular.ts';
import { createItemPurge } from './purge.ts';
import { createItemRevisions } from './revisions.ts';
import { createItemStats } from './stats.ts';
import { createItemViews, createViewCounter } from './views.ts';
import { createItemWindows } from './windows.ts';

export interface ItemServicesDeps extends Base {
  quotas: Quotas;
}

/** The services of items, in the order of their dependencies, and their recurring jobs. */
export function createItemServices(deps: ItemServicesDeps) {
  const { cache, config, cursors, db, now, turns } = deps;
  const views = createItemViews({ ...deps, isStrict: config.viewsMode === 'strict' });
  const viewersFor = (seconds: number) => createViewers({ windowMs: seconds * 1000, now });
  const popularTtlMs = config.popularTtlSeconds * 1000;
  const itemEvents = createItemEvents(deps);
  const { publish } = itemEvents;
  const changes = createItemChanges({ ...deps, publish, maxRevisions: config.quotaRevisions });
  const itemList = createItemList({ db, cursors, views, turns });
  const index = fullTextOf(items.definition) as FullText;
  return {
    views,
    itemEvents,
    itemRevisions: createItemRevisions({ db, cursors, views, changes }),
    items: createItems({
      db,
      turns,
      views,
      changes,
      viewers: viewersFor(config.viewWindowV1Seconds),
    }),
    itemList,
    itemBatch: createItemBatch({ db, changes }),
    itemImport: createItemImport({ db, changes }),
    itemExport: createResourceExport<ItemFilterField>(items.definition, { db }),
    popular: createItemPopular({ db, cache, views, popularTtlMs }),
    itemStats: createItemStats({ db, views, now }),
    viewCounter: createViewCounter({ db, views, viewers: viewersFor(config.viewWindowSeconds) }),
    jobs: [
      createItemPurge(deps),
      createSearchReindex({ db, index }),
      ...itemList.jobs,
      createItemWindows(deps),
      createEventRetention(deps),
    ],
  };
}
