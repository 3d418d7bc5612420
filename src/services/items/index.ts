import type { Base } from '../../core/base.ts';
import type { FullText } from '../../core/db/full-text.ts';
import { createViewers } from '../../core/viewers.ts';
import { items } from '../../resources/items.ts';
import type { Quotas } from '../quotas.ts';
import type { Extras } from '../resources/engine.ts';
import type { RevisionInfo, Revisions } from '../resources/history/revisions.ts';
import type { ResourceServices, Resources } from '../resources/index.ts';
import { countedItems } from '../resources/quota.ts';
import { fullTextOf } from '../resources/search/pending.ts';
import { createSearchReindex } from '../resources/search/reindex.ts';
import type { EDITABLE_FIELDS, Item } from './rows.ts';
import { createPlainItems } from './v1.ts';

/** The additions of items to their declaration. */
export const itemExtras = ({ quotas }: { quotas: Quotas }): Extras => ({
  quota: countedItems(quotas),
  hasTriggers: true,
});

export interface ItemServicesDeps extends Base {
  resources: Resources;
}

/** A change of an item, with its stored values. */
export type ItemRevisionInfo = Omit<RevisionInfo, 'changes'> & {
  changes: { [K in (typeof EDITABLE_FIELDS)[number]]?: { from: Item[K]; to: Item[K] } };
};

/** The services of items for routes and commands that are made for items alone. */
export function createItemServices(deps: ItemServicesDeps) {
  const { config, db, now, resources } = deps;
  const engine = resources.byName.get('items') as unknown as ResourceServices<Item>;
  const { rows } = engine;
  const views = of(engine.views);
  const { pending } = views;
  const viewers = createViewers({ windowMs: config.viewWindowV1Seconds * 1000, now });
  const popularTtlMs = config.popularTtlSeconds * 1000;
  const index = fullTextOf(items.definition) as FullText;
  const plain = createPlainItems({ ...deps, views: pending, viewers, popularTtlMs });
  return {
    views: pending,
    itemEvents: of(engine.events),
    itemRevisions: of(engine.revisions) as Revisions<Item> & ItemRevisionList,
    items: { ...rows, list: plain.list, view: plain.view },
    popular: { list: views.popular, listPlain: plain.listPopular },
    itemStats: { get: views.stats },
    viewCounter: { count: views.count },
    jobs: [createSearchReindex({ db, index })],
  };
}

interface ItemRevisionList {
  list(
    ...args: Parameters<Revisions['list']>
  ): Promise<Omit<Awaited<ReturnType<Revisions['list']>>, 'data'> & { data: ItemRevisionInfo[] }>;
}

/** A service that the declaration of items asks for. */
function of<T>(service: T | undefined): T {
  if (service === undefined) throw new Error('Items lack a service.');
  return service;
}
