import type { Session } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Cursors } from '../../core/security/cursors.ts';
import type { ItemRevision } from '../../models/index.ts';
import { type Page, pageOf } from '../../utils/page.ts';
import {
  type Columns,
  columnsAt,
  columnsBefore,
  columnsBeforeVersion,
  revisionsBefore,
  TRACKED,
  type Tracked,
} from './revision-rows.ts';
import type { Item } from './rows.ts';

/** Who changed what. `tags` and `data` are JSON texts, as in Item. */
export interface RevisionInfo {
  version: number;
  action: ItemRevision['action'] | 'create';
  actor_id: number;
  at: string;
  changes: { [K in Tracked]?: { from: Item[K]; to: Item[K] } };
}

export interface RevisionsQuery {
  /** Default 20. */
  limit?: number | undefined;
  cursor?: string | undefined;
}

/**
 * Where a page goes on. Of each column it knows which later revision changed it next, so that no
 * page has to read all that is newer.
 */
interface Place {
  /** The newest version when the first page was made. */
  top: number;
  /** The page holds what is older. */
  below: number;
  /** By column; 0 where nothing changed it from here up to `top`. */
  next: Record<Tracked, number>;
}

const DEFAULT_LIMIT = 20;
const NOTHING = { title: 0, description: 0, url: 0, tags: 0, data: 0, visibility: 0 };
const SHAPE = ['number', 'number', ...TRACKED.map(() => 'number' as const)] as const;

/** A page of what was done to an item, the newest first. Throws invalid_cursor. */
export async function listRevisions(
  { session, cursors }: { session: Session; cursors: Cursors },
  item: Item,
  { limit = DEFAULT_LIMIT, cursor }: RevisionsQuery,
): Promise<{ data: RevisionInfo[]; page: Page }> {
  const place = placeOf(cursors, item, cursor);
  const older = { item_id: item.id, version: place.below, limit: limit + 1 };
  const rows = await revisionsBefore(session, older);
  const entries = entriesOf(rows, await stateAt(session, item, place), place);
  // Rows that are no more than asked for are the last; the creation has none.
  if (rows.length <= limit) entries.push({ info: creationOf(item), place });
  const { data, page } = pageOf(entries, limit, (entry) => cursorOf(cursors, item, entry.place));
  return { data: data.map(({ info }) => info), page };
}

/** What the item was after the newest change of the page. */
async function stateAt(session: Session, item: Item, { top, next }: Place): Promise<Item> {
  const since = await columnsAt(session, item.id, top, item.version);
  const state = { ...item, ...since };
  for (const version of new Set(Object.values(next))) {
    if (version === 0) continue;
    const before = await columnsBeforeVersion(session, item.id, version);
    const own = TRACKED.filter((name) => next[name] === version && name in before);
    for (const name of own) Object.assign(state, { [name]: before[name] });
  }
  return state;
}

/** Each change with the place after it. */
function entriesOf(rows: ItemRevision[], newest: Item, start: Place) {
  let state: Columns = newest;
  let place = start;
  return rows.map((row) => {
    const { version, action, actor_id, at } = row;
    const before = columnsBefore(row);
    const names = TRACKED.filter((name) => name in before);
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
  if (cursor === undefined) return { top: item.version, below: item.version + 1, next: NOTHING };
  const position = cursors.open(scopeOf(item), cursor, SHAPE) as number[] | undefined;
  const [top, below, ...versions] = position ?? [];
  if (top === undefined || below === undefined) {
    throw new AppError('invalid_cursor', 'The cursor is not one of this list');
  }
  const next = Object.fromEntries(TRACKED.map((name, index) => [name, versions[index]]));
  return { top, below, next: next as Place['next'] };
}

function cursorOf(cursors: Cursors, item: Item, { top, below, next }: Place): string {
  return cursors.seal(scopeOf(item), [top, below, ...TRACKED.map((name) => next[name])]);
}

function scopeOf({ id }: Item): string {
  return JSON.stringify(['item-revisions', id]);
}
