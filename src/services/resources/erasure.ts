import { sql } from 'drizzle-orm';
import { type AnyActor, SYSTEM } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { prepareRows } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { type Job, runSteps } from '../../core/jobs/recurring.ts';
import type { Definition, Row } from '../../resources/declare/definition.ts';
import { DAY_MS, HOUR_MS } from '../../utils/time/units.ts';
import { isBinned } from './access.ts';
import type { RowEffect } from './effects.ts';
import type { RowHooks } from './hooks.ts';
import type { Erasing, References } from './references.ts';
import { namesOf, type RowStatements, tablesOf } from './statements.ts';

/** The time for which a deleted row can be restored. */
const BIN_MS = 30 * DAY_MS;
const EVERY_MS = HOUR_MS;

export interface ErasureDeps {
  statements: RowStatements;
  references: References;
  hooks: RowHooks | undefined;
  effects: readonly RowEffect[];
  /** Deletes some of the history of a row; returns false if more is left. */
  clearHistory: ((tx: Tx, id: number) => Promise<boolean>) | undefined;
}

export type Erasure = ReturnType<typeof createErasure>;

/** An erasure that nothing refuses. */
export const forced = (actor: AnyActor = SYSTEM): Erasing => ({
  actor,
  isForced: true,
  path: [],
  begun: new Set(),
});

/** Erases rows with all that belongs to them. */
export function createErasure(def: Definition, deps: ErasureDeps) {
  const { statements, references, hooks, effects, clearHistory } = deps;
  const rowById = anyRow(def);

  /**
   * Erases a row, or a part of it if it is large: returns false, and must be called again, if more
   * is left. Throws conflict if another resource restricts it, and what a hook throws.
   */
  const eraseSome = async (tx: Tx, id: number, erasing: Erasing): Promise<boolean> => {
    const [row] = await rowById(tx, { id });
    if (!row) return true;
    const { actor, isForced, begun } = erasing;
    const key = `${def.name} ${id}`;
    const isBegun = isForced || isBinned(row) || begun.has(key);
    begun.add(key);
    if (!isBegun) await hooks?.beforeDelete(tx, actor, row);
    if (clearHistory && !(await clearHistory(tx, id))) return false;
    const path = [...erasing.path, key];
    if (!(await references.release(tx, id, { ...erasing, path }))) return false;
    await statements.erase(tx, { id });
    const isOwnerGone = erasing.goneId === row.owner_id;
    for (const effect of effects) await effect(tx, { old: row, row: undefined, isOwnerGone });
    if (!isBinned(row)) hooks?.afterDelete(tx, actor, row);
    return true;
  };
  return { eraseSome };
}

/** A recurring job: erases rows that have been in the bin for 30 days. */
export function createPurge(
  def: Definition,
  { db, now, eraseSome }: { db: Db; now(): Date } & Erasure,
): Job {
  const oldest = oldestBinned(def);
  return {
    name: `${def.one} purge`,
    everyMs: EVERY_MS,
    run: async () => {
      const until = new Date(now().getTime() - BIN_MS).toISOString();
      if ((await oldest(db.read, { until })).length === 0) return false;
      return runSteps(db, async (tx) => {
        const [row] = await oldest(tx, { until });
        if (row) await eraseSome(tx, row.id, forced());
        return row !== undefined;
      });
    },
  };
}

/** The row, even if its owner was deleted. */
function anyRow(def: Definition) {
  const columns = sql.join(
    namesOf(def).map((name) => sql.identifier(name)),
    sql`, `,
  );
  return prepareRows<{ id: number }, Row>(
    sql`select ${columns} from ${tablesOf(def).rows} where id = ${sql.placeholder('id')}`,
  );
}

function oldestBinned(def: Definition) {
  const { rows } = tablesOf(def);
  return prepareRows<{ until: string }, { id: number }>(
    sql`select id from ${rows} where deleted_at <= ${sql.placeholder('until')} order by deleted_at limit 1`,
  );
}
