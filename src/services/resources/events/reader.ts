import { LRUCache } from 'lru-cache';
import type { AnyActor } from '../../../core/actor.ts';
import type { Db, Session } from '../../../core/db/db.ts';
import type { Definition, Row } from '../../../resources/declare/definition.ts';
import { isBinned, type RowAccess } from '../access.ts';
import type { RowStatements } from '../statements.ts';
import type { EventStore, RowEvent } from './store.ts';

/** An event and the current state of its row; undefined once the row is erased. */
export interface ChangeEvent<R extends Row = Row> {
  event: RowEvent;
  row: R | undefined;
}

/** Cached so that many listeners who resume at once cost little more than one. */
const MAX_CACHED_BYTES = 16_777_216;

/** The approximate memory of an event and its encoded frame. */
export function bytesOf({ row }: ChangeEvent): number {
  let bytes = 500;
  for (const name in row) {
    const value = row[name];
    if (typeof value === 'string') bytes += value.length;
  }
  return bytes;
}

/** Returns a reader of events with their rows. It returns the same object while the row is unchanged. */
export function createEventReader<R extends Row>(
  { read }: Db,
  { byId, accessById }: Pick<RowStatements<R>, 'byId' | 'accessById'>,
): (event: RowEvent) => Promise<ChangeEvent<R>> {
  const cache = new LRUCache<number, ChangeEvent<R>>({
    maxSize: MAX_CACHED_BYTES,
    sizeCalculation: (cached) => 3 * bytesOf(cached),
  });
  /** False if the row has changed since: it may have become private. */
  const isCurrent = async ({ event, row }: ChangeEvent<R>): Promise<boolean> => {
    const [now] = await accessById(read, { id: event.row_id });
    return now?.version === row?.version;
  };
  return async (event) => {
    const cached = cache.get(event.id);
    if (cached && (await isCurrent(cached))) return cached;
    const current = { event, row: (await byId(read, { id: event.row_id }))[0] };
    cache.set(event.id, current);
    return current;
  };
}

/**
 * The stored events, each once and in order, whichever process wrote them: ids ascend in the order
 * of the commits, so none can appear before one that was read.
 */
export function createFeed(read: Session, store: EventStore) {
  let position = Promise.resolve(0);
  return {
    /** Skips the events that exist now. Takes effect before the next read. */
    skipToNow: (): void => {
      position = store.newest(read);
      // `next` reports the error.
      position.catch(() => {});
    },
    next: async (): Promise<RowEvent[]> => {
      const events = await store.after(read, await position);
      const last = events.at(-1);
      if (last) position = Promise.resolve(last.id);
      return events;
    },
  };
}

/** Decides which events of a resource a caller receives. */
export function createEventAccess(
  { read }: Pick<Definition, 'read'>,
  { mayRead }: Pick<RowAccess, 'mayRead'>,
) {
  const isRule = typeof read === 'function';
  const includesRow = ({ event, row }: ChangeEvent, actor: AnyActor): boolean =>
    event.type !== 'deleted' && row !== undefined && !isBinned(row) && mayRead(actor, row);
  /** True for an event with a row that the rule shows, or of the caller's own row. */
  const passesRule = (change: ChangeEvent, actor: AnyActor): boolean => {
    const { row, event } = change;
    if (event.owner_id === actor.id) return true;
    return row !== undefined && mayRead(actor, row);
  };
  return {
    /** True if the caller receives the row with its event. */
    includesRow,

    /** True if the caller receives the event at all. */
    mayReceive: (change: ChangeEvent, actor: AnyActor): boolean => {
      const { audience, owner_id } = change.event;
      if (isRule && !passesRule(change, actor)) return false;
      if (read === 'admin' && actor.role !== 'admin') return false;
      if (read === 'user' && actor.id === null) return false;
      if (audience === 'all') return true;
      return (audience === 'owner') === (actor.id === owner_id);
    },
  };
}
