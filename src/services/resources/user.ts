import type { AnyActor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Definition, Row } from '../../resources/declare/definition.ts';
import type { BoundService, ResourceService } from '../../resources/declare/service.ts';
import type { RowAccess } from './access.ts';
import type { RowChanges } from './changes.ts';
import type { RowService } from './service.ts';
import type { RowValues } from './values.ts';

/** The parts of a resource that code of users reaches through its service. */
export interface Served {
  def: Definition;
  values: RowValues;
  access: RowAccess;
  changes: RowChanges;
  rows: RowService;
}

/** The service of a resource for code of users: its rows are as clients see them. */
export function createResourceService({
  values: { shown },
  rows,
}: Pick<Served, 'values' | 'rows'>): ResourceService {
  return {
    get: async (actor, id) => shown(await rows.get(actor, id)),
    create: async (actor, values) => shown(await rows.create(actor, values)),
    update: async (actor, id, changes, options) =>
      shown(await rows.update(actor, id, changes, options)),
    delete: async (actor, id, options) => void (await rows.remove(actor, id, options)),
    restore: async (actor, id) => shown(await rows.restore(actor, id)),
  };
}

/** Services that a hook uses, and the end of all their calls. */
export interface BoundServices {
  resources: Readonly<Record<string, BoundService>>;
  /** Runs work after the calls so far. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when no call is running; rejects if one fails that nobody waited for. */
  settled(): Promise<void>;
}

/** The services of all resources for an actor, in a transaction or each call in one of its own. */
export function createBoundServices(
  served: ReadonlyMap<string, Served>,
  tx: Tx | undefined,
  actor: AnyActor,
): BoundServices {
  const calls = createCalls();
  const bind = tx
    ? (it: Served) => inTransaction(it, tx, actor, calls.run)
    : (it: Served) => standalone(createResourceService(it), actor, calls.run);
  const resources = new Proxy<Record<string, BoundService>>(
    {},
    {
      get: (_, name) => {
        const it = served.get(String(name));
        if (!it) throw new Error(`There is no resource ${String(name)}.`);
        return bind(it);
      },
    },
  );
  return { resources, ...calls };
}

type Run = BoundServices['run'];

function inTransaction(
  { values: { shown }, access, changes }: Served,
  tx: Tx,
  actor: AnyActor,
  run: Run,
): BoundService {
  const show = (work: () => Promise<Row>) => run(async () => shown(await work()));
  return {
    get: (id) => show(() => access.getVisible(tx, actor, id)),
    create: (values) => show(() => changes.create(tx, actor, values)),
    update: (id, values, options) => show(() => changes.update(tx, actor, id, values, options)),
    delete: (id, options) => run(async () => void (await changes.remove(tx, actor, id, options))),
    restore: (id) => show(() => changes.restore(tx, actor, id)),
  };
}

function standalone(service: ResourceService, actor: AnyActor, run: Run): BoundService {
  return {
    get: (id) => run(() => service.get(actor, id)),
    create: (values) => run(() => service.create(actor, values)),
    update: (id, changes, options) => run(() => service.update(actor, id, changes, options)),
    delete: (id, options) => run(() => service.delete(actor, id, options)),
    restore: (id) => run(() => service.restore(actor, id)),
  };
}

/** Runs calls one after another: parts of a transaction must not overlap. */
function createCalls(): Pick<BoundServices, 'run' | 'settled'> {
  const running = new Set<Promise<unknown>>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    run: (work) => {
      const call = last.then(work);
      last = call.catch(() => {});
      running.add(call);
      void last.then(() => running.delete(call));
      return call;
    },
    settled: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
