import type { AnyActor } from '../../../core/actor.ts';
import type { Db } from '../../../core/db/db.ts';
import { AppError } from '../../../core/exceptions.ts';
import { type Cursors, readCursor } from '../../../core/security/cursors.ts';
import type { Definition, Row } from '../../../resources/declare/definition.ts';
import { type Page, pageOf } from '../../../utils/page.ts';
import type { OnWritten } from '../../idempotency.ts';
import { type RowAccess, titleOf } from '../access.ts';
import type { ChangeOptions, RowChanges } from '../changes.ts';
import type { AfterWrite } from '../effects.ts';
import type { Columns } from '../values.ts';
import { columnsBefore, type Revision, type RevisionRows } from './rows.ts';

/** One change of a row. Values are as stored. */
export interface RevisionInfo {
  version: number;
  action: Revision['action'] | 'create';
  actor_id: number;
  at: string;
  changes: Record<string, { from: Columns[string]; to: Columns[string] }>;
}

export interface RevisionsQuery {
  /** Default 20. */
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface RevisionsDeps<R extends Row> {
  db: Db;
  cursors: Cursors;
  access: RowAccess<R>;
  changes: RowChanges<R>;
  history: RevisionRows;
  afterWrite: AfterWrite;
}

export type Revisions<R extends Row = Row> = ReturnType<typeof createRevisions<R>>;

/** The history of the rows of a resource. */
export function createRevisions<R extends Row>(def: Definition, deps: RevisionsDeps<R>) {
  const { db, access, changes, history, afterWrite } = deps;
  const list = createRevisionList(def, deps);
  return {
    /**
     * A page of the changes of a row, in the bin too, newest first. Throws not_found, forbidden,
     * invalid_cursor.
     */
    list: async (
      actor: AnyActor,
      id: number,
      query: RevisionsQuery = {},
    ): Promise<{ data: RevisionInfo[]; page: Page }> =>
      list(await access.getManaged(db.read, actor, id), query),

    /**
     * Reverts a row to an earlier version, as a new change; does nothing if it does not differ.
     * Rows in the bin stay there. Throws not_found, forbidden, version_mismatch.
     */
    revert: async (
      actor: AnyActor,
      id: number,
      version: number,
      options: ChangeOptions = {},
      onWritten?: OnWritten<R>,
    ): Promise<R> => {
      const { version: seen } = await access.getManaged(db.read, actor, id);
      const isKnown = version === seen || (await history.hasVersion(db.read, id, version));
      if (!isKnown) {
        throw new AppError('not_found', `${titleOf(def.one)} ${id} has no version ${version}`);
      }
      // Reads the long history before it takes the writer; only newer changes are read inside.
      const columns = await history.columnsAt(db.read, id, version, seen);
      return db.write(async (tx) => {
        const { version: latest } = await access.getManaged(tx, actor, id);
        const later = await history.columnsAt(tx, id, seen, latest);
        const row = await changes.revert(tx, actor, id, { ...later, ...columns }, options);
        await onWritten?.(tx, row);
        afterWrite(tx, row);
        return row;
      });
    },
  };
}

/**
 * The position of a page. It records for each field the next later revision that changed it, so
 * that no page has to read all newer revisions.
 */
interface Place {
  /** The newest version when the first page was read. */
  top: number;
  /** The page contains revisions older than this version. */
  below: number;
  /** Versions by field; 0 if nothing changed it between here and `top`. */
  next: Record<string, number>;
}

const DEFAULT_LIMIT = 20;

function createRevisionList(
  { one, fields }: Definition,
  { db, cursors, history }: Pick<RevisionsDeps<Row>, 'db' | 'cursors' | 'history'>,
) {
  const names = fields.map(({ name }) => name);
  const shape = ['number', 'number', ...names.map(() => 'number' as const)] as const;
  const scopeOf = ({ id }: Row) => JSON.stringify([`${one}-revisions`, id]);

  const placeOf = (row: Row, cursor: string | undefined): Place => {
    const position = readCursor(cursors, scopeOf(row), cursor, shape);
    const [top = row.version, below = row.version + 1, ...versions] = (position ?? []) as number[];
    const next = Object.fromEntries(names.map((name, index) => [name, versions[index] ?? 0]));
    return { top, below, next };
  };
  const cursorOf = (row: Row, { top, below, next }: Place): string =>
    cursors.seal(scopeOf(row), [top, below, ...names.map((name) => next[name] ?? 0)]);

  /** The row as it was after the newest change of the page. */
  const stateAt = async (row: Row, { top, next }: Place): Promise<Columns> => {
    const since = await history.columnsAt(db.read, row.id, top, row.version);
    const state: Columns = { ...row, ...since };
    for (const version of new Set(Object.values(next))) {
      if (version === 0) continue;
      const before = await history.columnsBefore(db.read, row.id, version);
      for (const name of names) {
        if (next[name] === version && name in before) state[name] = before[name] ?? null;
      }
    }
    return state;
  };

  return async (
    row: Row,
    { limit = DEFAULT_LIMIT, cursor }: RevisionsQuery,
  ): Promise<{ data: RevisionInfo[]; page: Page }> => {
    const place = placeOf(row, cursor);
    const older = { row_id: row.id, version: place.below, limit: limit + 1 };
    const rows = await history.before(db.read, older);
    const entries = entriesOf(names, rows, await stateAt(row, place), place);
    // The last page ends with the creation, which has no row.
    if (rows.length <= limit) entries.push({ info: creationOf(row), place });
    const { data, page } = pageOf(entries, limit, (entry) => cursorOf(row, entry.place));
    return { data: data.map(({ info }) => info), page };
  };
}

/** The changes of a page, each with the place after it. */
function entriesOf(all: string[], rows: Revision[], newest: Columns, start: Place) {
  let state = newest;
  let place = start;
  return rows.map((row) => {
    const { version, action, actor_id, at } = row;
    const before = columnsBefore(row);
    const names = all.filter((name) => name in before);
    const changes: RevisionInfo['changes'] = {};
    for (const name of names) {
      changes[name] = { from: before[name] ?? null, to: state[name] ?? null };
    }
    state = { ...state, ...before };
    const changed = Object.fromEntries(names.map((name) => [name, version]));
    place = { ...place, below: version, next: { ...place.next, ...changed } };
    return { info: { version, action, actor_id, at, changes } as RevisionInfo, place };
  });
}

function creationOf({ owner_id: actor_id, created_at: at }: Row): RevisionInfo {
  return { version: 1, action: 'create', actor_id, at, changes: {} };
}
