import type { AnyActor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Log } from '../../core/log.ts';
import type { Definition, Row } from '../../resources/declare/definition.ts';
import type { BeforeContext, HookContext } from '../../resources/declare/hooks.ts';
import type { Values } from '../../resources/declare/service.ts';
import type { RowValues } from './values.ts';

/** A hook that takes longer is stopped: the whole transaction and all other writers wait for it. */
const MAX_HOOK_MS = 1_000;

/** The most hooks that may call each other: one that calls itself without end must not block others. */
const MAX_DEPTH = 8;
const depths = new WeakMap<Tx, number>();

/** The services and jobs that a hook may use. */
export interface HookTools extends Pick<HookContext, 'resources' | 'jobs'> {
  /** Resolves when all calls have ended; rejects if one failed that the hook did not await. */
  settled(): Promise<void>;
}

export interface RowHooksDeps {
  log: Log;
  values: RowValues;
  now(): Date;
  /** Tools bound to a transaction or, after the commit, to none. */
  toolsFor(tx: Tx | undefined, actor: AnyActor): HookTools;
  /** Waits for work that continues after a response. */
  track(work: Promise<void>): void;
}

export type RowHooks = ReturnType<typeof createRowHooks>;

/** Runs the hooks of a resource; undefined if it has none. */
export function createRowHooks(def: Definition, deps: RowHooksDeps) {
  const { before = {}, after = {} } = def;
  if (Object.keys(before).length + Object.keys(after).length === 0) return undefined;
  const { log, values, now, toolsFor, track } = deps;
  const nameOf = (kind: string) => `The hook ${kind} of ${def.name}`;

  const runBefore = async <C extends object>(
    kind: 'create' | 'update' | 'delete',
    tx: Tx,
    actor: AnyActor,
    more: C,
  ): Promise<C> => {
    const hook = before[kind] as ((context: BeforeContext & C) => Promise<void> | void) | undefined;
    if (!hook) return more;
    const name = nameOf(`before.${kind}`);
    const { settled, ...tools } = toolsFor(tx, actor);
    try {
      await within(name, tx, async () => {
        await hook({ tx, actor, now: now(), ...tools, ...more });
        await settled();
      });
    } catch (error) {
      throw error instanceof AppError ? error : new Error(`${name} failed.`, { cause: error });
    }
    return more;
  };

  const runAfter = (
    kind: 'create' | 'update' | 'delete',
    tx: Tx,
    actor: AnyActor,
    more: () => object,
  ): void => {
    const hook = after[kind] as ((context: HookContext) => Promise<void> | void) | undefined;
    if (!hook) return;
    const name = nameOf(`after.${kind}`);
    const run = async () => {
      const { settled, ...tools } = toolsFor(undefined, actor);
      await hook({ actor, now: now(), ...tools, ...more() });
      await settled();
    };
    tx.afterCommit(() => {
      track(run().catch((error) => log.error(`${name} failed.`, { error })));
    });
  };

  return {
    /** True if a change may have written other rows before it fails. */
    hasBefore: Object.keys(before).length > 0,

    /** The values to create a row from. */
    beforeCreate: async (tx: Tx, actor: AnyActor, given: Values): Promise<Values> => {
      if (!before.create) return given;
      const row = structuredClone(given);
      const changed = await runBefore('create', tx, actor, { row });
      return known(def, nameOf('before.create'), changed.row);
    },

    /** The changes to make. */
    beforeUpdate: async (tx: Tx, actor: AnyActor, row: Row, given: Values): Promise<Values> => {
      if (!before.update) return given;
      const more = { row: values.shown(row), changes: structuredClone(given) };
      const { changes } = await runBefore('update', tx, actor, more);
      return known(def, nameOf('before.update'), changes);
    },

    beforeDelete: async (tx: Tx, actor: AnyActor, row: Row): Promise<void> => {
      if (before.delete) await runBefore('delete', tx, actor, { row: values.shown(row) });
    },

    afterCreate: (tx: Tx, actor: AnyActor, row: Row): void =>
      runAfter('create', tx, actor, () => ({ row: values.shown(row) })),

    afterUpdate: (tx: Tx, actor: AnyActor, old: Row, row: Row): void =>
      runAfter('update', tx, actor, () => ({ row: values.shown(row), old: values.shown(old) })),

    afterDelete: (tx: Tx, actor: AnyActor, row: Row): void =>
      runAfter('delete', tx, actor, () => ({ row: values.shown(row) })),
  };
}

/** Refuses names that are no fields, which would be lost. */
function known({ fields, name }: Definition, hook: string, values: Values): Values {
  const names = new Set(fields.map((field) => field.name));
  const other = Object.keys(values).find((key) => !names.has(key));
  if (other !== undefined) throw new Error(`${hook} set ${other}, which is no field of ${name}.`);
  return values;
}

/** Runs a hook within its limits of time and depth. */
async function within(name: string, tx: Tx, work: () => Promise<void>): Promise<void> {
  const depth = depths.get(tx) ?? 0;
  if (depth >= MAX_DEPTH) throw new Error(`${name} was called by ${MAX_DEPTH} other hooks.`);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const text = `${name} took more than ${MAX_HOOK_MS} ms. It must wait only for resources and jobs.`;
    late.reject(new Error(text));
  }, MAX_HOOK_MS);
  depths.set(tx, depth + 1);
  try {
    await Promise.race([work(), late.promise]);
  } finally {
    depths.set(tx, depth);
    clearTimeout(timer);
  }
}
