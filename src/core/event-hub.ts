import { nextTurn } from '../utils/async/event-loop.ts';
import { AppError } from './exceptions.ts';
import type { Log } from './log.ts';

/** A listener of a hub. */
export interface Listener<M> {
  /** Receives messages synchronously, in order. A listener that throws is removed. */
  deliver(messages: readonly M[]): void;
  /** Called when no more messages follow: the hub stops, or has lost messages. */
  end(): void;
}

export interface EventHub<E, M> {
  /** Sends an event to all listeners. Never throws or blocks. */
  publish(event: E): void;
  /** Fetches further events and sends them, if there are listeners. Never throws or blocks. */
  wake(): void;
  /**
   * Adds a listener and returns a function that removes it. Its place counts for `key`, or for no
   * key if null. Throws overloaded, and too_many_requests if the key has no places left.
   */
  join(listener: Listener<M>, key: string | null): () => void;
  /** The number of listeners. */
  size(): number;
  /** Ends all listeners and accepts no more. */
  stop(): void;
}

export interface EventHubOptions<E, M> {
  log: Log;
  /** The places of listeners, which several hubs may share. */
  places: Places;
  /** Returns the next events that were published elsewhere, in order; empty if there are no more. */
  more(): Promise<E[]>;
  /** Builds the message of an event, once for all listeners. */
  prepare(event: E): Promise<M>;
  /** The approximate size of a message in bytes. */
  sizeOf(message: M): number;
}

/** The most queued events. Beyond it the hub drops them and ends all listeners, which can resume. */
const MAX_PENDING = 10_000;
/** The most messages per turn of the event loop, so that a fast reader's buffer never overflows. */
const MAX_BATCH = 64;
const MAX_BATCH_BYTES = 65_536;
const MAX_PAUSE_MS = 100;
const RETRY_AFTER_SECONDS = 10;

/** Creates a hub that delivers published events to listeners, independently of the publisher. */
export function createEventHub<E, M>(options: EventHubOptions<E, M>): EventHub<E, M> {
  const { places } = options;
  const listeners = new Set<Listener<M>>();
  const queue = createQueue(options);
  let isDelivering = false;
  let isStopped = false;

  const endAll = () => {
    queue.clear();
    for (const listener of listeners) settle(listener, options.log, () => listener.end());
  };
  const deliverLater = async () => {
    if (isDelivering) return;
    isDelivering = true;
    await deliver(queue, listeners, options).catch((error) => {
      options.log.error('Listeners lost events and must resume.', { error });
      endAll();
    });
    isDelivering = false;
    if (queue.isWaiting()) void deliverLater();
  };
  return {
    publish: (event) => {
      if (listeners.size === 0) return;
      if (queue.add(event)) void deliverLater();
      else endAll();
    },
    wake: () => {
      if (listeners.size === 0) return;
      queue.wake();
      void deliverLater();
    },
    join: (listener, key) => {
      if (isStopped) throw refusal('overloaded', 'The server is stopping', 1);
      const release = places.take(key);
      listeners.add(listener);
      return () => {
        if (listeners.delete(listener)) release();
      };
    },
    size: () => listeners.size,
    stop: () => {
      isStopped = true;
      endAll();
    },
  };
}

/** Delivers all queued events, one batch per turn of the event loop. */
async function deliver<E, M>(
  queue: Queue<E>,
  listeners: Set<Listener<M>>,
  options: EventHubOptions<E, M>,
): Promise<void> {
  await nextTurn();
  while (await queue.fill()) {
    const beganMs = performance.now();
    const messages = await nextOf(queue.pending, options);
    for (const listener of listeners) {
      settle(listener, options.log, () => listener.deliver(messages));
    }
    await nextTurn();
    // Delivery to many listeners takes long: writers then get the same time.
    await Bun.sleep(Math.min(performance.now() - beganMs, MAX_PAUSE_MS));
  }
}

type Queue<E> = ReturnType<typeof createQueue<E>>;

/** The queued events: published ones and, after `wake`, those of `more`. */
function createQueue<E>({ more }: { more(): Promise<E[]> }) {
  const pending: E[] = [];
  let isWoken = false;
  return {
    pending,
    /** Adds an event; returns false if there are too many. */
    add: (event: E): boolean => pending.push(event) <= MAX_PENDING,
    wake: (): void => {
      isWoken = true;
    },
    isWaiting: (): boolean => isWoken || pending.length > 0,
    /** Fetches more events if the queue is empty; returns false if nothing is queued. */
    fill: async (): Promise<boolean> => {
      while (pending.length === 0 && isWoken) {
        isWoken = false;
        const events = await more();
        // A wake during the fetch is not lost.
        isWoken ||= events.length > 0;
        pending.push(...events);
      }
      return pending.length > 0;
    },
    clear: (): void => {
      pending.length = 0;
      isWoken = false;
    },
  };
}

/** The messages of one turn, at least one. */
async function nextOf<E, M>(
  pending: E[],
  { prepare, sizeOf }: EventHubOptions<E, M>,
): Promise<M[]> {
  const messages: M[] = [];
  let bytes = 0;
  while (messages.length < MAX_BATCH && bytes < MAX_BATCH_BYTES && pending.length > 0) {
    const message = await prepare(pending.shift() as E);
    bytes += sizeOf(message);
    messages.push(message);
  }
  return messages;
}

/** Calls a listener; its failure ends only this listener. */
function settle<M>(listener: Listener<M>, log: Log, call: () => void): void {
  try {
    call();
  } catch (error) {
    log.error('A listener failed and was ended.', { error });
    listener.end();
  }
}

export type Places = ReturnType<typeof createPlaces>;

/** Limits the listeners that are open at once: in all, and of each key. */
export function createPlaces(limits: { maxListeners: number; maxPerKey: number }) {
  const { maxListeners, maxPerKey } = limits;
  const taken = new Map<string, number>();
  let total = 0;
  const free = (key: string | null) => {
    total--;
    if (key === null) return;
    const left = (taken.get(key) ?? 0) - 1;
    if (left > 0) taken.set(key, left);
    else taken.delete(key);
  };
  return {
    /**
     * Takes a place and returns a function that frees it; without a key it counts only in all.
     * Throws overloaded, and too_many_requests if the key has no places left.
     */
    take: (key: string | null): (() => void) => {
      if (total >= maxListeners) throw refusal('overloaded', 'Too many event streams are open');
      const count = key === null ? 0 : (taken.get(key) ?? 0);
      if (count >= maxPerKey) {
        throw refusal('too_many_requests', 'Too many event streams are open from this address');
      }
      total++;
      if (key !== null) taken.set(key, count + 1);
      return () => free(key);
    },
  };
}

function refusal(
  code: 'overloaded' | 'too_many_requests',
  text: string,
  retryAfterSeconds = RETRY_AFTER_SECONDS,
): AppError {
  return new AppError(code, text, { retryAfterSeconds });
}
