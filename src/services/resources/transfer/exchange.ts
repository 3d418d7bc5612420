import type { Base } from '../../../core/base.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import type { Idempotency } from '../../idempotency.ts';
import type { Resources } from '../index.ts';
import { createResourceList } from '../list/list.ts';
import { createResourceExport } from './export.ts';
import { createRowImport } from './import.ts';

export interface ExchangeDeps extends Base {
  idempotency: Idempotency;
  resources: Resources;
}

/** The services that read and write many rows of one resource. */
export type Exchange = ReturnType<typeof exchangeOf>;

/** Creates the lists, imports and exports of all resources. */
export function createExchange(definitions: readonly Definition[], deps: ExchangeDeps) {
  const all = definitions.map((def) => [def.name, exchangeOf(def, deps)] as const);
  return {
    byName: Object.fromEntries(all) as Record<string, Exchange>,
    jobs: all.flatMap(([, { list }]) => list.jobs),
  };
}

function exchangeOf(def: Definition, deps: ExchangeDeps) {
  const { db, cursors, turns, idempotency, resources } = deps;
  const engine = resources.byName.get(def.name);
  if (!engine) throw new Error(`There is no engine of ${def.name}.`);
  const { changes, views } = engine;
  return {
    list: createResourceList(def, { db, cursors, turns, ...(views && { views: views.pending }) }),
    import: createRowImport({ db, idempotency, definition: def, create: changes.create }).run,
    export: createResourceExport(def, { db }).lines,
  };
}
