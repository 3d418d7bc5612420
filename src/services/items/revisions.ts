import type { Actor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import { type Cursors, readCursor } from '../../core/security/cursors.ts';
import type { ItemRevision } from '../../models/items.ts';
import { type Page, pageOf } from '../../utils/page.ts';
import type { OnWritten } from '../idempotency.ts';
import { getOwned } from './access.ts';
import type { ChangeOptions, ItemChanges } from './changes.ts';
import {
  type Columns,
  columnsAt,
  columnsBefore,
  columnsBeforeVersion,
  hasVersion,
  revisionsBefore,
} from './revision-rows.ts';
import { EDITABLE_FIELDS, type Item } from './rows.ts';
import type { ItemViews } from './views.ts';

type FieldName = (typeof EDITABLE_FIELDS)[number];

/** One change of an item. `tags` and `data` are JSON texts, as in Item. */
export interface RevisionInfo {
  version: number;
  action: ItemRevision['action'] | 'create';
  actor_id: number;
  at: string;
  changes: { [K in FieldName]?: { from: Item[K]; to: Item[K] } };
}

export interface RevisionsQuery {
  /** Default 20. */
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface ItemRevisionsDeps {
  db: Db;
  cursors: Cursors;
  views: ItemViews;
  changes: ItemChanges;
}

/** The history of items. */
export const createItemRevisions = ({ db, cursors, views, changes }: ItemRevisionsDeps) => ({
  /**
   * A page of the changes of the caller's own item, in the bin too, newest first. Throws
   * not_found, forbidden, invalid_cursor.
   */
  list: async (
    actor: Actor,
    id: number,
    query: RevisionsQuery = {},
  ): Promise<{ data: RevisionInfo[]; page: Page }> =>
    listRevisions({ session: db.read, cursors }, await getOwned(db.read, actor, id), query),

  /**
   * Reverts an item to an earlier version, as a new change; does nothing if it does not differ.
   * Items in the bin stay there. Throws not_found, forbidden, version_mismatch.
   */
  revert: async (
    actor: Actor,
    id: number,
    version: number,
    options: ChangeOptions = {},
    onWritten?: OnWritten<Item>,
  ): Promise<Item> => {
    const { version: seen } = await getOwned(db.read, actor, id);
    const isKnown = version === seen || (await hasVersion(db.read, id, version));
    if (!isKnown) throw new AppError('not_found', `Item ${id} has no version ${version}`);
    // Reads the long history before it takes the writer; only newer changes are read inside.
    const columns = await columnsAt(db.read, id, version, seen);
    return db.write(async (tx) => {
      const { version: latest } = await getOwned(tx, actor, id);
      const later = await columnsAt(tx, id, seen, latest);
      const item = await changes.revert(tx, actor, id, { ...later, ...columns }, options);
      await onWritten?.(tx, item);
      views.addPendingAfter(tx, item);
      return item;
    });
  },
});

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
  next: Record<FieldName, number>;
}

const DEFAULT_LIMIT = 20;
const UNCHANGED = Object.fromEntries(EDITABLE_FIELDS.map((name) => [name, 0])) as Place['next'];
const SHAPE = ['number', 'number', ...EDITABLE_FIELDS.map(() => 'number' as const)] as const;

async function listRevisions(
  { session, cursors }: { session: Session; cursors: Cursors },
  item: Item,
  { limit = DEFAULT_LIMIT, cursor }: RevisionsQuery,
): Promise<{ data: RevisionInfo[]; page: Page }> {
  const place = placeOf(cursors, item, cursor);
  const older = { item_id: item.id, version: place.below, limit: limit + 1 };
  const rows = await revisionsBefore(session, older);
  const entries = entriesOf(rows, await stateAt(session, item, place), place);
  // The last page ends with the creation, which has no row.
  if (rows.length <= limit) entries.push({ info: creationOf(item), place });
  const { data, page } = pageOf(entries, limit, (entry) => cursorOf(cursors, item, entry.place));
  return { data: data.map(({ info }) => info), page };
}

/** The item as it was after the newest change of the page. */
async function stateAt(session: Session, item: Item, { top, next }: Place): Promise<Item> {
  const since = await columnsAt(session, item.id, top, item.version);
  const state = { ...item, ...since };
  for (const version of new Set(Object.values(next))) {
    if (version === 0) continue;
    const before = await columnsBeforeVersion(session, item.id, version);
    const names = EDITABLE_FIELDS.filter((name) => next[name] === version && name in before);
    for (const name of names) Object.assign(state, { [name]: before[name] });
  }
  return state;
}

/** The changes of a page, each with the place after it. */
function entriesOf(rows: ItemRevision[], newest: Item, start: Place) {
  let state: Columns = newest;
  let place = start;
  return rows.map((row) => {
    const { version, action, actor_id, at } = row;
    const before = columnsBefore(row);
    const names = EDITABLE_FIELDS.filter((name) => name in before);
    const changes = Object.fromEntries(
      names.map((name) => [name, { from: before[name], to: state[name] }]),
    ) as RevisionInfo['changes'];
    state = { ...state, ...before };
    const changed = Object.fromEntries(names.map((name) => [name, version]));
    place = { ...place, below: version, next: { ...place.next, ...changed } };
    return { info: { version, action, actor_id, at, changes } as RevisionInfo, place };
  });
}

function creationOf({ owner_id: actor_id, created_at: at }: Item): RevisionInfo {
  return { version: 1, action: 'create', actor_id, at, changes: {} };
}

function placeOf(cursors: Cursors, item: Item, cursor: string | undefined): Place {
  const position = readCursor(cursors, scopeOf(item), cursor, SHAPE);
  if (!position) return { top: item.version, below: item.version + 1, next: UNCHANGED };
  const [top, below, ...versions] = position as [number, number, ...number[]];
  const next = Object.fromEntries(EDITABLE_FIELDS.map((name, index) => [name, versions[index]]));
  return { top, below, next: next as Place['next'] };
}

function cursorOf(cursors: Cursors, item: Item, { top, below, next }: Place): string {
  return cursors.seal(scopeOf(item), [top, below, ...EDITABLE_FIELDS.map((name) => next[name])]);
}

function scopeOf({ id }: Item): string {
  return JSON.stringify(['item-revisions', id]);
}
