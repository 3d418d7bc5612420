import type { AnyActor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { createEventHub } from '../../core/event-hub.ts';
import type { Log } from '../../core/log.ts';
import type { ItemEvent } from '../../models/items.ts';
import { nextTurn } from '../../utils/async/event-loop.ts';
import {
  bytesOf,
  type ChangeEvent,
  createEventReader,
  createFeed,
  EVENT_PAGE,
  eventsAfter,
  includesItem,
  mayReceive,
  positionOf,
} from './change-events.ts';
import { createPopularWatch, type PopularEvent } from './popular.ts';

export interface ItemEventsDeps {
  db: Db;
  log: Log;
  /** The most listeners at once: in all and, unless limits are off, per address. */
  config: { maxListeners: number; limitListeners: number; rateLimit: 'on' | 'off' };
}

/** A message to a listener. `event` is the same object for all listeners. */
export type ItemMessage =
  | { type: 'change'; event: ChangeEvent; includesItem: boolean }
  | { type: 'popular'; event: PopularEvent }
  | { type: 'reset' };

/** The receiver of messages: an HTTP response, for example. */
export interface ItemListener {
  /** Receives messages synchronously. `position` is the id of the last event that was sent. */
  send(messages: ItemMessage[], position: number): void;
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

type AnyEvent = ChangeEvent | PopularEvent;

/** Live events buffered while a resuming listener reads a page; beyond that they are read as the next page. */
const MAX_BUFFERED = 100;

/** The interval for reading events of other processes. */
const POLL_MS = 1000;

/** Sends listeners the changes of items after their commit, and those that they missed. */
export function createItemEvents({ db, log, config }: ItemEventsDeps) {
  const readEvent = createEventReader(db);
  const feed = createFeed(db.read);
  const nextTick = createTicks();
  const hub = createEventHub<ItemEvent | PopularEvent, AnyEvent>({
    log,
    maxListeners: config.maxListeners,
    maxPerKey: config.rateLimit === 'on' ? config.limitListeners : config.maxListeners,
    more: feed.next,
    prepare: async (event) => ('item_ids' in event ? event : readEvent(event)),
    sizeOf: (event) => ('item_ids' in event ? 0 : bytesOf(event)),
  });
  const watch = createPopularWatch({ db, log, hub });
  const poll = setInterval(hub.wake, POLL_MS);
  poll.unref();

  const catchUp = async (
    state: ListenerState,
    lastId: string | undefined,
    isListening: () => boolean,
  ): Promise<void> => {
    const after = lastId !== undefined && /^\d{1,16}$/.test(lastId) ? Number(lastId) : undefined;
    const { newest, isKnown } = await positionOf(db.read, state.actor, after);
    state.position = isKnown && after !== undefined ? after : newest;
    state.sent = state.position;
    const isReset = lastId !== undefined && !isKnown;
    state.listener.send(isReset ? [{ type: 'reset' }] : [], state.position);
    while (isListening()) {
      await nextTick();
      state.buffer = [];
      const page = await eventsAfter(db.read, { id: state.position, limit: EVENT_PAGE });
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
    listen: ({ actor, address, lastId }: Subscription, listener: ItemListener): (() => void) => {
      if (hub.size() === 0) feed.skipToNow();
      const state: ListenerState = {
        position: 0,
        sent: 0,
        buffer: [],
        isLive: false,
        actor,
        listener,
      };
      let isListening = true;
      const deliver = (events: readonly AnyEvent[]) => {
        if (state.isLive) send(state, events);
        else if (state.buffer.length <= MAX_BUFFERED) state.buffer.push(...events);
      };
      // Joins before it reads past events, so that it misses none committed meanwhile.
      const leave = hub.join({ deliver, end: listener.end }, address);
      catchUp(state, lastId, () => isListening).catch((error) => {
        log.error('A listener could not resume.', { error });
        listener.end();
      });
      watch.start();
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
      watch.stop();
      hub.stop();
    },
  };
}

interface ListenerState {
  /** All events up to this id have been handled: sent if the caller may receive them. */
  position: number;
  /** The last event that was sent, or the position at the start. */
  sent: number;
  /** Live events since the last page was requested; incomplete beyond MAX_BUFFERED. */
  buffer: AnyEvent[];
  isLive: boolean;
  actor: AnyActor;
  listener: ItemListener;
}

/** Sends the events after the current position that the caller may receive. */
function send(state: ListenerState, events: readonly AnyEvent[]): void {
  const messages: ItemMessage[] = [];
  for (const event of events) {
    if ('item_ids' in event) messages.push({ type: 'popular', event });
    else if (event.event.id > state.position) {
      state.position = event.event.id;
      if (!mayReceive(event.event, state.actor)) continue;
      state.sent = event.event.id;
      messages.push({ type: 'change', event, includesItem: includesItem(event, state.actor) });
    }
  }
  if (messages.length > 0) state.listener.send(messages, state.sent);
}

/** Returns a function that resolves in its own tick of the event loop: many resuming listeners do not block requests. */
function createTicks(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(nextTurn);
    return last;
  };
}
