import type { AnyActor } from '../../../core/actor.ts';
import type { Db } from '../../../core/db/db.ts';
import { createEventHub, type Places } from '../../../core/event-hub.ts';
import type { Log } from '../../../core/log.ts';
import type { Row } from '../../../resources/declare/definition.ts';
import { nextTurn } from '../../../utils/async/event-loop.ts';
import type { RowStatements } from '../statements.ts';
import type { PopularEvent } from '../views/popular.ts';
import type { PopularWatch } from '../views/watch.ts';
import {
  bytesOf,
  type ChangeEvent,
  type createEventAccess,
  createEventReader,
  createFeed,
} from './reader.ts';
import { EVENT_PAGE, type EventStore, type RowEvent } from './store.ts';

export interface RowEventsDeps<R extends Row> {
  db: Db;
  log: Log;
  store: EventStore;
  statements: RowStatements<R>;
  access: ReturnType<typeof createEventAccess>;
  /** The listeners that may be open at once, of all resources. */
  places: Places;
  /** Watches the most viewed rows, if views are counted. */
  createWatch: ((hub: Hub) => PopularWatch) | undefined;
}

/** The part of the hub that a watch of popular rows uses. */
export interface Hub {
  publish(event: PopularEvent): void;
  size(): number;
}

/** A message to a listener. `event` is the same object for all listeners. */
export type RowMessage<R extends Row = Row> =
  | { type: 'change'; event: ChangeEvent<R>; includesRow: boolean }
  | { type: 'popular'; event: PopularEvent['popular'] }
  | { type: 'reset' };

/** The receiver of messages: an HTTP response, for example. */
export interface RowListener<R extends Row = Row> {
  /** Receives messages synchronously. `position` is the id of the last event that was sent. */
  send(messages: RowMessage<R>[], position: number): void;
  /** Resolves when there is room for more. */
  hasRoom(): Promise<void>;
  end(): void;
}

/** The caller who listens, and the id to resume after, as sent by the caller; undefined for now. */
export interface Subscription {
  actor: AnyActor;
  address: string | null;
  lastId: string | undefined;
}

type AnyEvent<R extends Row> = ChangeEvent<R> | PopularEvent;

/** Live events buffered while a resuming listener reads a page; beyond that they are read as the next page. */
const MAX_BUFFERED = 100;

/** The interval for reading events of other processes. */
const POLL_MS = 1000;

/** Sends listeners the changes of rows after their commit, and those that they missed. */
export function createRowEvents<R extends Row>(deps: RowEventsDeps<R>) {
  const { db, log, store, access, places } = deps;
  const readEvent = createEventReader(db, deps.statements);
  const feed = createFeed(db.read, store);
  const nextTick = createTicks();
  const hub = createEventHub<RowEvent | PopularEvent, AnyEvent<R>>({
    log,
    places,
    more: feed.next,
    prepare: async (event) => ('popular' in event ? event : readEvent(event)),
    sizeOf: (event) => ('popular' in event ? 0 : bytesOf(event)),
  });
  const watch = deps.createWatch?.(hub);
  let poll: ReturnType<typeof setInterval> | undefined;
  const send = createSend<R>(access);

  const startPolling = () => {
    poll ??= setInterval(hub.wake, POLL_MS);
    poll.unref();
    watch?.start();
  };

  const catchUp = async (
    state: ListenerState<R>,
    lastId: string | undefined,
    isListening: () => boolean,
  ): Promise<void> => {
    const after = lastId !== undefined && /^\d{1,16}$/.test(lastId) ? Number(lastId) : undefined;
    const { newest, isKnown } = await store.positionOf(db.read, state.actor, after);
    state.position = isKnown && after !== undefined ? after : newest;
    state.sent = state.position;
    const isReset = lastId !== undefined && !isKnown;
    state.listener.send(isReset ? [{ type: 'reset' }] : [], state.position);
    while (isListening()) {
      await nextTick();
      state.buffer = [];
      const page = await store.after(db.read, state.position);
      for (const event of page) {
        await state.listener.hasRoom();
        send(state, [await readEvent(event)]);
      }
      if (page.length < EVENT_PAGE && state.buffer.length <= MAX_BUFFERED) break;
    }
    // Synchronous from here on, so that nothing can arrive in between.
    state.isLive = true;
    send(state, state.buffer);
    state.buffer = [];
  };

  return {
    /** Sends committed events to all listeners. Never throws, never waits. */
    publish: hub.wake,

    /**
     * Sends a listener every event after `lastId` that the caller may receive, then live events,
     * each exactly once. Returns a function that unsubscribes. Throws overloaded,
     * too_many_requests.
     */
    listen: ({ actor, address, lastId }: Subscription, listener: RowListener<R>): (() => void) => {
      if (hub.size() === 0) feed.skipToNow();
      const state: ListenerState<R> = {
        position: 0,
        sent: 0,
        buffer: [],
        isLive: false,
        actor,
        listener,
      };
      let isListening = true;
      const deliver = (events: readonly AnyEvent<R>[]) => {
        if (state.isLive) send(state, events);
        else if (state.buffer.length <= MAX_BUFFERED) state.buffer.push(...events);
      };
      // Joins before it reads past events, so that it misses none committed meanwhile.
      const leave = hub.join({ deliver, end: listener.end }, address);
      catchUp(state, lastId, () => isListening).catch((error) => {
        log.error('A listener could not resume.', { error });
        listener.end();
      });
      startPolling();
      return () => {
        isListening = false;
        leave();
      };
    },

    /** The number of listeners. */
    listeners: (): number => hub.size(),

    /** Ends all listeners and accepts no more. */
    stop: (): void => {
      clearInterval(poll);
      watch?.stop();
      hub.stop();
    },
  };
}

interface ListenerState<R extends Row> {
  /** All events up to this id have been handled: sent if the caller may receive them. */
  position: number;
  /** The last event that was sent, or the position at the start. */
  sent: number;
  /** Live events since the last page was requested; incomplete beyond MAX_BUFFERED. */
  buffer: AnyEvent<R>[];
  isLive: boolean;
  actor: AnyActor;
  listener: RowListener<R>;
}

/** Returns a function that sends a listener the events after its position that it may receive. */
function createSend<R extends Row>(access: RowEventsDeps<R>['access']) {
  return (state: ListenerState<R>, events: readonly AnyEvent<R>[]): void => {
    const messages: RowMessage<R>[] = [];
    for (const event of events) {
      if ('popular' in event) messages.push({ type: 'popular', event: event.popular });
      else if (event.event.id > state.position) {
        state.position = event.event.id;
        if (!access.mayReceive(event, state.actor)) continue;
        state.sent = event.event.id;
        const includesRow = access.includesRow(event, state.actor);
        messages.push({ type: 'change', event, includesRow });
      }
    }
    if (messages.length > 0) state.listener.send(messages, state.sent);
  };
}

/** Returns a function that resolves in its own tick of the event loop: many resuming listeners do not block requests. */
function createTicks(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(nextTurn);
    return last;
  };
}
