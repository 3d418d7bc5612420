import type { AnyActor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Definition, Row } from '../../resources/declare/definition.ts';
import type { ChangeRowOptions } from '../../resources/declare/service.ts';
import { createPace } from '../../utils/async/event-loop.ts';
import type { RowAccess } from './access.ts';
import type { RowEffect } from './effects.ts';
import type { Erasure } from './erasure.ts';
import type { Revision, RevisionRows } from './history/rows.ts';
import type { RowHooks } from './hooks.ts';
import type { RowQuota } from './quota.ts';
import type { References } from './references.ts';
import { refusalOf } from './refusals.ts';
import type { RowStatements } from './statements.ts';
import type { Columns, RowValues, Values } from './values.ts';

/** The caller of a change: an account, or the system in a command or job. */
export type Changer = AnyActor;

export interface ChangeOptions extends ChangeRowOptions {
  action?: Revision['action'];
}

export interface RowChangesDeps<R extends Row> {
  statements: RowStatements<R>;
  values: RowValues;
  access: RowAccess<R>;
  quota: RowQuota;
  history: RevisionRows | undefined;
  references: References;
  hooks: RowHooks | undefined;
  effects: readonly RowEffect[];
  erasure: Erasure;
  now(): Date;
}

export type RowChanges<R extends Row = Row> = ReturnType<typeof createRowChanges<R>>;

/** Recorded as the author of changes that no account made. */
const NO_ACCOUNT = 0;

/**
 * All changes of the rows of a resource. Each runs in the caller's transaction, together with
 * everything that follows from it: its revision, its events and the indexes of texts and words.
 */
export function createRowChanges<R extends Row>(def: Definition, deps: RowChangesDeps<R>) {
  const { statements, values, access, quota, history, references, hooks, effects, now } = deps;
  const more = { ...(def.hasBin && { deleted_at: null }), ...(def.hasViews && { views: 0 }) };

  /** Writes a change to a row that the caller may change. */
  const change = async (
    tx: Tx,
    actor: Changer,
    row: R,
    columns: Columns,
    { action, isForced = false }: { action: Revision['action']; isForced?: boolean },
  ): Promise<R> => {
    const set = differing(row, columns);
    const changed = Object.keys(set);
    if (changed.length === 0) return row;
    if (references.hasOutgoing && !isForced) await references.check(tx, actor, set);
    const at = now().toISOString();
    const version = row.version + 1;
    const old = pick(row, changed);
    const before = history ? JSON.stringify(old) : '';
    if (!isForced && (action === 'update' || action === 'revert')) {
      await quota.admitChange(tx, actor, row, { set, old, before });
    }
    await write(tx, row.id, { ...set, version, updated_at: at });
    const actor_id = actor.id ?? NO_ACCOUNT;
    await history?.add(tx, { row_id: row.id, version, action, actor_id, at, before });
    const result = { ...row, ...set, version, updated_at: at };
    for (const effect of effects) await effect(tx, { old: row, row: result, set });
    return result;
  };

  const write = async (tx: Tx, id: number, set: Columns): Promise<void> => {
    try {
      await statements.update(Object.keys(set))(tx, { ...set, id });
    } catch (error) {
      throw refusalOf(def, error);
    }
  };

  const insert = async (tx: Tx, row: Row): Promise<void> => {
    try {
      row.id = Number((await statements.insert(tx, row)).lastInsertRowid);
    } catch (error) {
      throw refusalOf(def, error);
    }
  };

  const newRow = (columns: Columns, owner_id: number): Row => {
    const at = now().toISOString();
    const row = { id: 0, owner_id, ...columns, version: 1, created_at: at, updated_at: at };
    return Object.assign(row, more) as Row;
  };

  const create = async (
    tx: Tx,
    actor: Changer,
    given: Values,
    owner_id: number | null,
  ): Promise<R> => {
    if (owner_id === null) throw new Error(`A new row of ${def.name} needs an owner.`);
    const fields = hooks ? await hooks.beforeCreate(tx, actor, given) : given;
    const row = newRow(values.ofNew(fields), owner_id);
    access.ensureCreatable(actor, row);
    if (references.hasOutgoing) await references.check(tx, actor, row);
    await quota.admitNew(tx, actor, row);
    await insert(tx, row);
    for (const effect of effects) await effect(tx, { old: undefined, row });
    hooks?.afterCreate(tx, actor, row);
    return row as R;
  };

  const update = async (
    tx: Tx,
    actor: Changer,
    id: number,
    given: Values,
    { ifMatch, action = 'update' }: ChangeOptions,
  ): Promise<R> => {
    const row = await access.getEditable(tx, actor, id);
    ensureMatch(def, row, ifMatch);
    const fields = hooks ? await hooks.beforeUpdate(tx, actor, row, given) : given;
    const result = await change(tx, actor, row, values.ofChange(row, fields), { action });
    if (result !== row) hooks?.afterUpdate(tx, actor, row, result);
    return result;
  };

  const remove = async (
    tx: Tx,
    actor: Changer,
    id: number,
    { ifMatch }: ChangeOptions,
  ): Promise<R> => {
    const row = await access.getEditable(tx, actor, id);
    ensureMatch(def, row, ifMatch);
    if (!def.hasBin) {
      const erasing = { actor, isForced: false, path: [], begun: new Set<string>() };
      const pace = createPace();
      while (!(await deps.erasure.eraseSome(tx, id, erasing))) await pace();
      return row;
    }
    await hooks?.beforeDelete(tx, actor, row);
    await references.ensureUnrestricted(tx, id);
    const columns = { deleted_at: now().toISOString() };
    const result = await change(tx, actor, row, columns, { action: 'delete' });
    hooks?.afterDelete(tx, actor, row);
    return result;
  };

  /** Makes a change a part of its own if it may fail after it has written other rows. */
  const whole = <T>(tx: Tx, work: () => Promise<T>): Promise<T> =>
    hooks?.hasBefore ? tx.part(work) : work();

  return {
    /**
     * Creates a row, by default of the actor. Throws validation_failed, forbidden, conflict,
     * quota_exceeded, storage_full.
     */
    create: (
      tx: Tx,
      actor: Changer,
      given: Values,
      { owner_id = actor.id }: { owner_id?: number | null } = {},
    ): Promise<R> => whole(tx, () => create(tx, actor, given, owner_id)),

    /**
     * Changes the fields that differ; a JSON object is a merge patch. Throws not_found, forbidden,
     * version_mismatch, conflict, quota_exceeded, storage_full, validation_failed.
     */
    update: (
      tx: Tx,
      actor: Changer,
      id: number,
      given: Values,
      options: ChangeOptions = {},
    ): Promise<R> => whole(tx, () => update(tx, actor, id, given, options)),

    /** Sets columns back to earlier values. Throws like `update`. */
    revert: async (
      tx: Tx,
      actor: Changer,
      id: number,
      columns: Columns,
      { ifMatch }: ChangeOptions,
    ): Promise<R> => {
      const row = await access.getEditable(tx, actor, id);
      ensureMatch(def, row, ifMatch);
      return whole(tx, async () => {
        await hooks?.beforeUpdate(tx, actor, row, values.shown(columns));
        const result = await change(tx, actor, row, values.inNfc(columns), { action: 'revert' });
        if (result !== row) hooks?.afterUpdate(tx, actor, row, result);
        return result;
      });
    },

    /**
     * Moves a row to the bin, even over quota; without a bin, erases it. Throws not_found,
     * forbidden, version_mismatch, and conflict if another resource restricts it.
     */
    remove: (tx: Tx, actor: Changer, id: number, options: ChangeOptions = {}): Promise<R> =>
      references.hasIncoming()
        ? tx.part(() => remove(tx, actor, id, options))
        : whole(tx, () => remove(tx, actor, id, options)),

    /** Restores a row from the bin. Throws not_found. */
    restore: async (tx: Tx, actor: Changer, id: number): Promise<R> => {
      const row = await access.getBinned(tx, actor, id);
      return whole(tx, async () => {
        await hooks?.beforeUpdate(tx, actor, row, {});
        const result = await change(tx, actor, row, { deleted_at: null }, { action: 'restore' });
        hooks?.afterUpdate(tx, actor, row, result);
        return result;
      });
    },

    /** Sets a reference to null because the row that it names is erased. */
    clear: async (tx: Tx, actor: Changer, id: number, field: string): Promise<void> => {
      const [row] = await statements.byId(tx, { id });
      const columns = { [field]: null };
      // Nobody sees a row whose owner was deleted.
      if (!row) return write(tx, id, columns);
      const result = await change(tx, actor, row, columns, { action: 'update', isForced: true });
      hooks?.afterUpdate(tx, actor, row, result);
    },
  };
}

function ensureMatch(
  { one }: Definition,
  { version }: Row,
  ifMatch: readonly number[] | undefined,
): void {
  if (!ifMatch || ifMatch.includes(version)) return;
  const text = `The ${one.replaceAll('_', ' ')} has changed: its version is ${version}`;
  throw new AppError('version_mismatch', text);
}

function differing(row: Row, columns: Columns): Columns {
  const set: Columns = {};
  for (const name in columns) {
    const value = columns[name];
    if (value !== undefined && row[name] !== value) set[name] = value;
  }
  return set;
}

function pick(row: Row, names: string[]): Columns {
  const columns: Columns = {};
  for (const name of names) columns[name] = row[name] ?? null;
  return columns;
}
