import type { Base } from '../../core/base.ts';
import type { Places } from '../../core/event-hub.ts';
import type { Job } from '../../core/jobs/recurring.ts';
import { createViewers } from '../../core/viewers.ts';
import type { Definition, Row } from '../../resources/declare/definition.ts';
import type { Quotas } from '../quotas.ts';
import type { NotifyWebhooks } from '../webhooks/events.ts';
import { createWebhookEffect } from '../webhooks/row-effect.ts';
import { createRowAccess, type RowAccess } from './access.ts';
import { createBatch } from './batch.ts';
import { createRowChanges } from './changes.ts';
import type { AfterWrite, RowEffect } from './effects.ts';
import { createErasure, createPurge } from './erasure.ts';
import { createRowEvents } from './events/listeners.ts';
import { createEventAccess } from './events/reader.ts';
import { createEventRecord, type OnEvent } from './events/record.ts';
import { createEventStore } from './events/store.ts';
import { createRevisions } from './history/revisions.ts';
import { createRevisionRows } from './history/rows.ts';
import { createRowHooks, type RowHooksDeps } from './hooks.ts';
import { createNotice } from './notice.ts';
import { type RowQuota, spaceOnly } from './quota.ts';
import { createReferences, type Linked } from './references.ts';
import { createRowService } from './service.ts';
import { createRowStatements, type RowStatements } from './statements.ts';
import { createTextRows, textTablesOf } from './text-rows.ts';
import { createRowValues } from './values.ts';
import { createPopular } from './views/popular.ts';
import { createViewRows } from './views/rows.ts';
import { createStats } from './views/stats.ts';
import { createRowViews, createViewCounter } from './views/views.ts';
import { createPopularWatch } from './views/watch.ts';
import { createWindows } from './views/windows.ts';

export interface EngineDeps extends Base {
  quotas: Quotas;
  notifyWebhooks: NotifyWebhooks;
  places: Places;
  /** All resources, for references between their rows. */
  linked(): Iterable<Linked>;
  hooks: Omit<RowHooksDeps, 'log' | 'now' | 'values'>;
}

/** Additions of the server itself to a declaration. */
export interface Extras {
  quota?: RowQuota;
  /** True if triggers maintain the views and the texts of its rows. */
  hasTriggers?: boolean;
  /** Further effects of each change, in its transaction. */
  effects?: readonly RowEffect[];
  onEvent?: OnEvent;
}

/** The services of one resource; those of options that it does not use are undefined. */
export type Engine<R extends Row = Row> = ReturnType<typeof createEngine<R>>;

export function createEngine<R extends Row>(
  def: Definition,
  deps: EngineDeps,
  extras: Extras = {},
) {
  const { db, now, log, config, cursors } = deps;
  const statements = createRowStatements<R>(def);
  const access = createRowAccess(def, statements);
  const values = createRowValues(def);
  const hooks = createRowHooks(def, { ...deps.hooks, log, now, values });
  const references = createReferences(def, deps.linked);
  const history = def.hasHistory
    ? createRevisionRows(def, { maxRevisions: config.quotaRevisions })
    : undefined;
  const views = def.hasViews ? createViews(def, { ...deps, access }) : undefined;
  const events = def.hasEvents ? createEvents(def, { ...deps, statements, access }) : undefined;
  const effects = effectsOf(def, { ...deps, access, events, extras });
  const erasure = createErasure(def, {
    statements,
    references,
    hooks,
    effects,
    clearHistory: history?.clear,
  });
  const { quota = spaceOnly(deps.quotas) } = extras;
  const changes = createRowChanges(def, {
    ...{ statements, values, access, quota, history, references, hooks, effects, erasure, now },
  });
  const afterWrite: AfterWrite = views ? views.pending.addPendingAfter : () => {};
  const parts = { db, access, changes, erasure, afterWrite };
  return {
    def,
    access,
    changes,
    erasure,
    values,
    rows: createRowService<R>({ ...parts, views: views?.pending }),
    batch: def.hasBatch ? createBatch(def, { db, changes }) : undefined,
    revisions: history ? createRevisions(def, { ...parts, cursors, history }) : undefined,
    events,
    views,
    /** Recurring jobs. */
    jobs: [
      ...(def.hasBin ? [createPurge(def, { db, now, ...erasure })] : []),
      ...(views ? [createWindows(def, { db, now })] : []),
      ...(events ? [events.retention] : []),
    ] satisfies Job[],
  };
}

function createViews<R extends Row>(def: Definition, deps: EngineDeps & { access: RowAccess<R> }) {
  const { db, cache, now, config, access } = deps;
  const pending = createRowViews(def, { ...deps, isStrict: config.viewsMode === 'strict' });
  const viewers = createViewers({ windowMs: config.viewWindowSeconds * 1000, now });
  const popularTtlMs = config.popularTtlSeconds * 1000;
  return {
    /** Views that are counted but not yet stored. */
    pending,
    count: createViewCounter(def, { db, views: pending, viewers, access }).count,
    stats: createStats(def, { db, views: pending, now, access }).get,
    popular: createPopular<R>(def, { db, cache, views: pending, popularTtlMs }).list,
  };
}

function createEvents<R extends Row>(
  def: Definition,
  deps: EngineDeps & { statements: RowStatements<R>; access: RowAccess<R> },
) {
  const { db, log, now, statements } = deps;
  const store = createEventStore(def);
  const listeners = createRowEvents<R>({
    ...{ db, log, store, statements, places: deps.places },
    access: createEventAccess(def, deps.access),
    createWatch: def.hasViews ? (hub) => createPopularWatch(def, { db, log, hub }) : undefined,
  });
  return { ...listeners, insert: store.insert, retention: store.retention({ db, now }) };
}

interface EffectsDeps<R extends Row> extends EngineDeps {
  access: RowAccess<R>;
  events: ReturnType<typeof createEvents> | undefined;
  extras: Extras;
}

/** The effects of each change. An option that is off adds none. */
function effectsOf<R extends Row>(def: Definition, deps: EffectsDeps<R>): RowEffect[] {
  const { access, events, extras, cache, now } = deps;
  const { hasTriggers = false, effects = [], onEvent } = extras;
  const receivers = [...(events ? [events.insert] : []), ...(onEvent ? [onEvent] : [])];
  const texts = hasTriggers ? [] : textTablesOf(def);
  return [
    ...texts.map((table) => createTextRows(def, table, access)),
    ...(def.hasViews && !hasTriggers ? [createViewRows(def, access)] : []),
    ...effects,
    createWebhookEffect(def, access, deps.notifyWebhooks),
    ...(receivers.length > 0 ? [createEventRecord(def, { now, receivers })] : []),
    ...(events || def.hasViews
      ? [createNotice(def, { cache, access, publish: events?.publish })]
      : []),
  ];
}
