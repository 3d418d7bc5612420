import { sql } from 'drizzle-orm';
import type { AnyActor } from '../../core/actor.ts';
import { prepareRows } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError, type FieldProblem } from '../../core/exceptions.ts';
import type { Definition, Field } from '../../resources/declare/definition.ts';
import { notFoundOf, titleOf } from './access.ts';
import { tablesOf } from './statements.ts';
import { type Columns, invalid } from './values.ts';

/** The erasure of a row and of the rows that refer to it. */
export interface Erasing {
  actor: AnyActor;
  /** True if nothing may refuse it, such as for a row whose time in the bin is over. */
  isForced: boolean;
  /** The rows on the way to the current one: each refers to the one before. */
  path: readonly string[];
  /** The rows whose `before` hook has run. */
  begun: Set<string>;
  /** The deleted account whose rows are erased. */
  goneId?: number;
}

/** A resource, as those need it that refer to its rows or that its rows refer to. */
export interface Linked {
  def: Definition;
  /** Throws not_found unless the actor may read the row. */
  ensureVisible(tx: Tx, actor: AnyActor, id: number): Promise<unknown>;
  /** Sets a reference of a row to null, as a change of it. */
  clear(tx: Tx, actor: AnyActor, id: number, field: string): Promise<void>;
  /** Erases a row, or a part of it if it is large; returns false if more is left. */
  eraseSome(tx: Tx, id: number, erasing: Erasing): Promise<boolean>;
}

export type References = ReturnType<typeof createReferences>;

/** Referring rows that are changed in one step. */
const STEP = 50;

/** Keeps references between the rows of resources intact. `all` returns every resource. */
export function createReferences(def: Definition, all: () => Iterable<Linked>) {
  const outgoing = def.fields.flatMap((field) => (field.ref ? [{ field, ref: field.ref }] : []));
  const linkedTo = (target: Definition) => {
    for (const linked of all()) if (linked.def.name === target.name) return linked;
    throw new Error(`${def.name} refers to ${target.name}, which is no resource.`);
  };
  let found: ReturnType<typeof incomingOf> | undefined;
  const incoming = () => {
    found ??= incomingOf(def, all());
    return found;
  };
  const unreleased = async (
    tx: Tx,
    id: number,
    { path }: Pick<Erasing, 'path'>,
    from: Incoming,
  ) => {
    const rows = await from.referring(tx, { id, limit: STEP + path.length });
    return rows.filter((row) => !path.includes(`${from.linked.def.name} ${row.id}`));
  };
  return {
    hasOutgoing: outgoing.length > 0,
    hasIncoming: (): boolean => incoming().length > 0,

    /** Throws validation_failed if a reference names a row that is missing or hidden from the actor. */
    check: async (tx: Tx, actor: AnyActor, columns: Columns): Promise<void> => {
      const problems: FieldProblem[] = [];
      for (const { field, ref } of outgoing) {
        const id = columns[field.name];
        if (id === undefined || id === null) continue;
        const target = ref.to();
        const isVisible = await linkedTo(target)
          .ensureVisible(tx, actor, id as number)
          .then(() => true, isNotFound);
        if (isVisible) continue;
        const { message } = notFoundOf(target, id as number);
        problems.push({ type: 'not_found', path: [field.name], msg: message });
      }
      if (problems.length > 0) throw invalid(...problems);
    },

    /** Throws conflict if a row refers to this one and restricts its deletion. */
    ensureUnrestricted: async (tx: Tx, id: number): Promise<void> => {
      for (const from of incoming()) {
        if (from.onDelete !== 'restrict') continue;
        if ((await unreleased(tx, id, { path: [`${def.name} ${id}`] }, from)).length > 0) {
          throw restricted(def, id, from.linked.def);
        }
      }
    },

    /**
     * Ends references to a row before it is erased, some at a time. Returns false if more are left.
     * Throws conflict if one restricts it.
     */
    release: async (tx: Tx, id: number, erasing: Erasing): Promise<boolean> => {
      for (const from of incoming()) {
        const rows = await unreleased(tx, id, erasing, from);
        const { linked, field } = from;
        const action = actionOf(from, erasing);
        if (rows.length > 0 && action === 'restrict') throw restricted(def, id, linked.def);
        for (const row of rows.slice(0, STEP)) {
          if (action === 'set null') await linked.clear(tx, erasing.actor, row.id, field.name);
          else if (!(await linked.eraseSome(tx, row.id, erasing))) return false;
        }
        if (rows.length >= STEP) return false;
      }
      return true;
    },
  };
}

interface Incoming {
  linked: Linked;
  field: Field;
  onDelete: 'cascade' | 'restrict' | 'set null';
  referring: ReturnType<typeof referringTo>;
}

function incomingOf(def: Definition, all: Iterable<Linked>): Incoming[] {
  const found: Incoming[] = [];
  for (const linked of all) {
    for (const field of linked.def.fields) {
      if (field.ref?.to().name !== def.name) continue;
      const { onDelete } = field.ref;
      found.push({ linked, field, onDelete, referring: referringTo(linked.def, field) });
    }
  }
  return found;
}

function referringTo(def: Definition, { name }: Field) {
  const { rows } = tablesOf(def);
  return prepareRows<{ id: number; limit: number }, { id: number }>(
    sql`select id from ${rows} where ${sql.identifier(name)} = ${sql.placeholder('id')} order by id limit ${sql.placeholder('limit')}`,
  );
}

function actionOf({ field, onDelete }: Incoming, { isForced }: Erasing) {
  if (onDelete !== 'restrict' || !isForced) return onDelete;
  return field.isNullable ? 'set null' : 'cascade';
}

function isNotFound(error: unknown): false {
  if (error instanceof AppError && error.code === 'not_found') return false;
  throw error;
}

function restricted({ one }: Definition, id: number, { name }: Definition): AppError {
  return new AppError('conflict', `${titleOf(one)} ${id} cannot be deleted: ${name} refer to it`);
}
