import { sql } from 'drizzle-orm';
import type { Session } from '../../../core/db/db.ts';
import { prepareChange, prepareRows } from '../../../core/db/query.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { nextTurn } from '../../../utils/async/event-loop.ts';
import { tablesOf } from '../statements.ts';
import type { Columns } from '../values.ts';

/** A change of a row after its creation. */
export type Revision = {
  row_id: number;
  /** The version that this change created. */
  version: number;
  action: 'update' | 'delete' | 'restore' | 'revert';
  actor_id: number;
  at: string;
  /** JSON object: the previous values of the changed columns. */
  before: string;
};

/** Deleted with one change at most: a row far above the limit approaches it step by step. */
const MAX_DROPPED = 20;
/** Revisions erased in one step: the largest take 4 MB. */
const ERASED = 50;
/** Revisions of one read: a few milliseconds with 64 KiB of data each. */
const CHUNK = 50;

type Within = { row_id: number; after: number; until: number; limit: number };

export type RevisionRows = ReturnType<typeof createRevisionRows>;

/** The stored revisions of the rows of a resource, at most `maxRevisions` of each row. */
export function createRevisionRows(def: Definition, { maxRevisions }: { maxRevisions: number }) {
  const { insert, before, within, deleteUntil, deleteSome } = statementsOf(def);
  const fieldCount = def.fields.length;
  return {
    /** Stores a revision, and deletes those of the row that are too old. */
    add: async (tx: Session, revision: Revision): Promise<void> => {
      await insert(tx, revision);
      const until = revision.version - maxRevisions;
      // The first revision has version 2.
      if (until >= 2) await deleteUntil(tx, { row_id: revision.row_id, until });
    },

    /** Deletes some revisions of a row; returns false if more are left. */
    clear: async (tx: Session, row_id: number): Promise<boolean> =>
      (await deleteSome(tx, { row_id })).length < ERASED,

    /** The revisions before a version, newest first. */
    before,

    /** True if the history still covers an older version of a row. */
    hasVersion: async (session: Session, row_id: number, version: number): Promise<boolean> =>
      (await within(session, { row_id, after: version, until: version + 1, limit: 1 })).length > 0,

    /** Like `columnsBefore` for one version; empty if it has no revision. */
    columnsBefore: async (session: Session, row_id: number, version: number): Promise<Columns> => {
      const [revision] = await within(session, {
        row_id,
        after: version - 1,
        until: version,
        limit: 1,
      });
      return revision ? columnsBefore(revision) : {};
    },

    /**
     * The columns that changed after version `after`, up to version `until`, with their values at
     * `after`: the first change since then recorded them. Yields between reads, as a history may be
     * long.
     */
    columnsAt: async (
      session: Session,
      row_id: number,
      after: number,
      until: number,
    ): Promise<Columns> => {
      let columns: Columns = {};
      for (let from = after; Object.keys(columns).length < fieldCount; ) {
        const chunk = await within(session, { row_id, after: from, until, limit: CHUNK });
        for (const revision of chunk) columns = { ...columnsBefore(revision), ...columns };
        if (chunk.length < CHUNK) break;
        from = chunk.at(-1)?.version ?? until;
        await nextTurn();
      }
      return columns;
    },
  };
}

/** The fields that a revision changed, with their values before it; `deleted_at` follows from the action. */
export function columnsBefore({ before }: Pick<Revision, 'before'>): Columns {
  const { deleted_at: _, ...columns } = JSON.parse(before) as Columns;
  return columns;
}

function statementsOf(def: Definition) {
  const { revisions, rowId } = tablesOf(def);
  const p = sql.placeholder;
  const isOfRow = sql`${rowId} = ${p('row_id')}`;
  const oldest = (condition: typeof isOfRow, limit: number) =>
    sql`delete from ${revisions} where ${isOfRow} and version in (select version from ${revisions} where ${condition} order by version limit ${sql.raw(String(limit))})`;
  return {
    insert: prepareChange<Revision>(
      sql`insert into ${revisions} (${rowId}, version, action, actor_id, at, before) values (${p('row_id')}, ${p('version')}, ${p('action')}, ${p('actor_id')}, ${p('at')}, ${p('before')})`,
    ),
    before: prepareRows<{ row_id: number; version: number; limit: number }, Revision>(
      sql`select ${rowId} as row_id, version, action, actor_id, at, before from ${revisions} where ${isOfRow} and version < ${p('version')} order by version desc limit ${p('limit')}`,
    ),
    within: prepareRows<Within, Pick<Revision, 'version' | 'before'>>(
      sql`select version, before from ${revisions} where ${isOfRow} and version > ${p('after')} and version <= ${p('until')} order by version limit ${p('limit')}`,
    ),
    deleteUntil: prepareChange<{ row_id: number; until: number }>(
      oldest(sql`${isOfRow} and version <= ${p('until')}`, MAX_DROPPED),
    ),
    deleteSome: prepareRows<{ row_id: number }, { version: number }>(
      sql`${oldest(isOfRow, ERASED)} returning version`,
    ),
  };
}
