import { sql } from 'drizzle-orm';
import { SYSTEM } from '../../core/actor.ts';
import type { Base } from '../../core/base.ts';
import { prepareRows } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { createPlaces } from '../../core/event-hub.ts';
import type { Definition, Row } from '../../resources/declare/definition.ts';
import type { HookContext } from '../../resources/declare/hooks.ts';
import type { ResourceService } from '../../resources/declare/service.ts';
import { checkTogether } from '../../resources/together.ts';
import { defineResourceJobs } from '../jobs/resource-jobs.ts';
import type { Quotas } from '../quotas.ts';
import type { NotifyWebhooks } from '../webhooks/events.ts';
import { createEngine, type Engine, type Extras } from './engine.ts';
import { forced } from './erasure.ts';
import type { HookTools } from './hooks.ts';
import { ownListsOf } from './own-lists.ts';
import type { Linked } from './references.ts';
import { tablesOf } from './statements.ts';
import { createBoundServices, createResourceService } from './user.ts';
import { popularTag, rowsTag } from './views/popular.ts';

type Enqueue = HookContext['jobs']['enqueue'];

export interface ResourcesDeps extends Base {
  quotas: Quotas;
  notifyWebhooks: NotifyWebhooks;
}

/** The services of a resource. */
export interface ResourceServices<R extends Row = Row> extends Engine<R> {
  /** For code of users: custom routes, jobs and hooks. */
  service: ResourceService;
}

export type Resources = ReturnType<typeof createResources>;

/**
 * Creates the services of all resources. `extras` holds what some have beside their declaration. Throws
 * DeclarationError if the resources do not fit together.
 */
export function createResources(
  definitions: readonly Definition[],
  deps: ResourcesDeps,
  extras: Record<string, Extras> = {},
) {
  checkTogether(definitions);
  const { config, db, now, queue } = deps;
  const { maxListeners, limitListeners, rateLimit } = config;
  const maxPerKey = rateLimit === 'on' ? limitListeners : maxListeners;
  const places = createPlaces({ maxListeners, maxPerKey });
  const byName = new Map<string, ResourceServices>();
  const linked: Linked[] = [];
  const running = new Set<Promise<void>>();

  const toolsFor: Parameters<typeof createEngine>[1]['hooks']['toolsFor'] = (tx, actor) => {
    const { run, ...bound } = createBoundServices(byName, tx, actor);
    const enqueue: Enqueue = (...job) =>
      run(() => (tx ? queue.enqueue(tx, ...job) : db.write((own) => queue.enqueue(own, ...job))));
    return { ...bound, jobs: { enqueue } } satisfies HookTools;
  };
  const track = (work: Promise<void>) => {
    running.add(work);
    void work.finally(() => running.delete(work));
  };
  const engineDeps = { ...deps, places, linked: () => linked, hooks: { toolsFor, track } };
  for (const def of definitions) {
    const engine = createEngine(def, engineDeps, extras[def.name]);
    byName.set(def.name, { ...engine, service: createResourceService(engine) });
    linked.push(linkOf(engine));
    defineResourceJobs(queue, def, () => ({
      actor: SYSTEM,
      now: now(),
      ...toolsFor(undefined, SYSTEM),
    }));
  }
  const all = [...byName.values()];
  const owned = definitions.map((def) => ({ def, firstOwned: firstOwnedBy(def) }));
  return {
    byName,
    jobs: all.flatMap(({ jobs }) => jobs),

    /** The lists of all resources in the export of an account. */
    ownLists: definitions.flatMap(ownListsOf),

    /** Erases a row of a deleted account, or a part of it; returns false if none is left. */
    eraseNextOf: async (tx: Tx, owner_id: number): Promise<boolean> => {
      for (const { def, firstOwned } of owned) {
        const [row] = await firstOwned(tx, { owner_id });
        if (!row) continue;
        await byName
          .get(def.name)
          ?.erasure.eraseSome(tx, row.id, { ...forced(), goneId: owner_id });
        return true;
      }
      return false;
    },

    /** Drops all cached responses that contain rows, after the commit. */
    invalidate: (tx: Tx): void =>
      tx.afterCommit(() => {
        for (const def of definitions) {
          deps.cache.invalidate(rowsTag(def));
          deps.cache.invalidate(popularTag(def));
        }
      }),

    /** Ends all listeners, and waits for hooks that run after a commit. */
    stop: async (): Promise<void> => {
      for (const { events } of all) events?.stop();
      await Promise.all(running);
    },

    /** Stores all pending views. */
    flush: async (): Promise<void> => {
      for (const { views } of all) await views?.pending.flush();
    },
  };
}

/** The name of the table of a resource's events. */
export function eventTableOf({ one }: Pick<Definition, 'one'>): string {
  return `${one}_events`;
}

function linkOf({ def, access, changes, erasure }: Engine): Linked {
  return {
    def,
    ensureVisible: access.ensureVisible,
    clear: changes.clear,
    eraseSome: erasure.eraseSome,
  };
}

function firstOwnedBy(def: Definition) {
  return prepareRows<{ owner_id: number }, { id: number }>(
    sql`select id from ${tablesOf(def).rows} where owner_id = ${sql.placeholder('owner_id')} order by id limit 1`,
  );
}
