import type { AnyActor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { createEventHub, type EventHub } from '../../core/event-hub.ts';
import type { Log } from '../../core/log.ts';
import type { ItemEvent } from '../../models/index.ts';
import { nextTurn } from '../../utils/async/event-loop.ts';
import {
  createFeed,
  createNewsReader,
  EVENT_PAGE,
  eventsAfter,
  type ItemNews,
  isShown,
  mayHear,
  newsBytes,
  placeOf,
} from './news.ts';
import { createPopularWatch } from './popular-watch.ts';

export interface ItemEventsDeps {
  db: Db;
  log: Log;
  /** Most who listen at once, in all and, unless limits are off, of one address. */
  config: { maxListeners: number; limitListeners: number; rateLimit: 'on' | 'off' };
  /** The ids of the most viewed items that anyone may see. */
  popularIds(): Promise<number[]>;
}

/** What a listener is told. `news` is the same object for all of them. */
export type Told =
  | { type: 'change'; news: ItemNews; isShown: boolean }
  | { type: 'popular'; news: PopularNews }
  | { type: 'reset' };

export interface PopularNews {
  item_ids: number[];
}

/** Where news go: api/responses/event-stream.ts over HTTP. */
export interface Outlet {
  /** Takes what is told at once. `position` is the id of the last event that was told. */
  tell(told: Told[], position: number): void;
  /** Resolves when there is room for more. */
  hasRoom(): Promise<void>;
  end(): void;
}

/** Who listens, from where on: after an id, as the listener gave it, or from now on. */
export interface Listening {
  actor: AnyActor;
  address: string | null;
  lastId: string | undefined;
}

type News = ItemNews | PopularNews;
type Hub = EventHub<ItemEvent | PopularNews, News>;

/** What may come while a resuming listener is told a page; more is read as the next page. */
const MAX_HELD = 100;

/** How often is looked for what other processes did. */
const LOOK_MS = 1000;

/** Tells listeners what happens to items, after its commit, and what happened since they left. */
export function createItemEvents(deps: ItemEventsDeps) {
  const readNews = createNewsReader(deps.db);
  const feed = createFeed(deps.db.read);
  const { maxListeners, limitListeners, rateLimit } = deps.config;
  const hub = createEventHub<ItemEvent | PopularNews, News>({
    log: deps.log,
    maxListeners,
    maxPerKey: rateLimit === 'on' ? limitListeners : maxListeners,
    more: feed.next,
    prepare: async (event) => ('item_ids' in event ? event : readNews(event)),
    sizeOf: (news) => ('item_ids' in news ? 0 : newsBytes(news)),
  });
  const past: Past = { read: deps.db.read, readNews, turn: createTurns() };
  const watch = createPopularWatch({ ...deps, hub });
  const look = setInterval(hub.wake, LOOK_MS);
  look.unref();
  return {
    /** Has all told of what is committed. Never throws, never waits. */
    publish: hub.wake,

    /**
     * Tells an outlet everything after `lastId` that the caller may see, then what happens, with
     * nothing left out or told twice. Gives what ends it. Throws overloaded, too_many_requests.
     */
    listen: (listening: Listening, outlet: Outlet): (() => void) => {
      if (hub.size() === 0) feed.skipToNow();
      const leave = listen(deps.log, hub, past, listening, outlet);
      watch.start();
      return leave;
    },

    listeners: (): number => hub.size(),

    /** Ends all who listen, at once, and takes no more. */
    stop: (): void => {
      clearInterval(look);
      watch.stop();
      hub.stop();
    },
  };
}

function listen(
  log: Log,
  hub: Hub,
  past: Past,
  { actor, address, lastId }: Listening,
  outlet: Outlet,
) {
  const state: Following = { position: 0, told: 0, held: [], isLive: false, actor, outlet };
  let isListening = true;
  const deliver = (messages: readonly News[]) => {
    if (state.isLive) tell(state, messages);
    else if (state.held.length <= MAX_HELD) state.held.push(...messages);
  };
  // First of all: what is committed while the past is read must not be missed.
  const leave = hub.join({ deliver, end: outlet.end }, address);
  catchUp(past, state, lastId, () => isListening).catch((error) => {
    log.error('A listener could not resume.', { error });
    outlet.end();
  });
  return () => {
    isListening = false;
    leave();
  };
}

/** What has been, for those who resume. */
interface Past {
  read: Session;
  readNews(event: ItemEvent): Promise<ItemNews>;
  /** Resolves in a turn of the event loop of its own: however many resume, others are served. */
  turn(): Promise<void>;
}

interface Following {
  /** Everything up to this id has been told, as far as the caller may hear of it. */
  position: number;
  /** The last event that was told, or where the listener began. */
  told: number;
  /** What came since the last page was begun to be read; over MAX_HELD it is not complete. */
  held: News[];
  isLive: boolean;
  actor: AnyActor;
  outlet: Outlet;
}

async function catchUp(
  { read, readNews, turn }: Past,
  state: Following,
  lastId: string | undefined,
  isListening: () => boolean,
): Promise<void> {
  const after = lastId !== undefined && /^\d{1,16}$/.test(lastId) ? Number(lastId) : undefined;
  const { newest, isKnown } = await placeOf(read, state.actor, after);
  state.position = isKnown && after !== undefined ? after : newest;
  state.told = state.position;
  state.outlet.tell(lastId !== undefined && !isKnown ? [{ type: 'reset' }] : [], state.position);
  while (isListening()) {
    await turn();
    state.held = [];
    const page = await eventsAfter(read, { id: state.position, limit: EVENT_PAGE });
    for (const event of page) {
      await state.outlet.hasRoom();
      tell(state, [await readNews(event)]);
    }
    if (page.length < EVENT_PAGE && state.held.length <= MAX_HELD) break;
  }
  // Nothing is awaited from here on, so nothing can come in between.
  state.isLive = true;
  tell(state, state.held);
  state.held = [];
}

/** Tells what is newer than all that was told, as far as the caller may know of it. */
function tell(state: Following, messages: readonly News[]): void {
  const told: Told[] = [];
  for (const news of messages) {
    if ('item_ids' in news) told.push({ type: 'popular', news });
    else if (news.event.id > state.position) {
      state.position = news.event.id;
      if (!mayHear(news.event, state.actor)) continue;
      state.told = news.event.id;
      told.push({ type: 'change', news, isShown: isShown(news, state.actor) });
    }
  }
  if (told.length > 0) state.outlet.tell(told, state.told);
}

function createTurns(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(nextTurn);
    return last;
  };
}
