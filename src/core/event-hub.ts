import { nextTurn } from '../utils/async/event-loop.ts';
import { AppError } from './exceptions.ts';
import type { Log } from './log.ts';

/** Who is told what happens, for as long as it listens. */
export interface Listener<M> {
  /** Takes what is new, in order, at once. One that throws is ended. */
  deliver(messages: readonly M[]): void;
  /** Nothing more comes: the hub stops, or has lost what it should have told. */
  end(): void;
}

export interface EventHub<E, M> {
  /** Tells all who listen. Never throws, never waits. */
  publish(event: E): void;
  /** Asks for more events and tells those, if anyone listens. Never throws, never waits. */
  wake(): void;
  /**
   * Listens from now on; gives what ends that. `key` is whom its place is counted for, null for
   * nobody. Throws overloaded, and too_many_requests for a key that has all its places.
   */
  join(listener: Listener<M>, key: string | null): () => void;
  /** How many listen. */
  size(): number;
  /** Ends all who listen and takes no more. */
  stop(): void;
}

export interface EventHubOptions<E, M> {
  log: Log;
  maxListeners: number;
  maxPerKey: number;
  /** The next events that nobody published here, in order; none when there are no more. */
  more(): Promise<E[]>;
  /** Makes of an event what is told of it, once for all who listen. */
  prepare(event: E): Promise<M>;
  /** About how large what is told will be, in bytes. */
  sizeOf(message: M): number;
}

/** Events that wait to be told. More are lost, and their listeners with them: they can resume. */
const MAX_PENDING = 10_000;
/** What is told in one turn of the event loop, so that a reader who keeps up is never full. */
const MAX_TOLD = 64;
const MAX_TOLD_BYTES = 65_536;
const MAX_PAUSE_MS = 100;
const RETRY_AFTER_SECONDS = 10;

/** Tells listeners of this process what is published in it, apart from whoever publishes. */
export function createEventHub<E, M>(options: EventHubOptions<E, M>): EventHub<E, M> {
  const places = createPlaces(options);
  const listeners = new Set<Listener<M>>();
  const queue = createQueue(options);
  let isTelling = false;
  let isStopped = false;

  const endAll = () => {
    queue.clear();
    for (const listener of listeners) settle(listener, options.log, () => listener.end());
  };
  const tellLater = async () => {
    if (isTelling) return;
    isTelling = true;
    await tell(queue, listeners, options).catch((error) => {
      options.log.error('Listeners lost events; they resume.', { error });
      endAll();
    });
    isTelling = false;
    if (queue.isWaiting()) void tellLater();
  };
  return {
    publish: (event) => {
      if (listeners.size === 0) return;
      if (queue.add(event)) void tellLater();
      else endAll();
    },
    wake: () => {
      if (listeners.size === 0) return;
      queue.wake();
      void tellLater();
    },
    join: (listener, key) => {
      if (isStopped) throw refusal('overloaded', 'The server is stopping', 1);
      const release = places.take(key, listeners.size);
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

/** Tells all that waits, some in each turn of the event loop. */
async function tell<E, M>(
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
    // Many listeners cost long: writers get as long again, and what they do is told at once.
    await Bun.sleep(Math.min(performance.now() - beganMs, MAX_PAUSE_MS));
  }
}

type Queue<E> = ReturnType<typeof createQueue<E>>;

/** The events that wait: those that were published and, once it is woken, those of `more`. */
function createQueue<E>({ more }: { more(): Promise<E[]> }) {
  const pending: E[] = [];
  let isWoken = false;
  return {
    pending,
    /** Adds an event; false when there are too many. */
    add: (event: E): boolean => pending.push(event) <= MAX_PENDING,
    wake: (): void => {
      isWoken = true;
    },
    isWaiting: (): boolean => isWoken || pending.length > 0,
    /** Fetches more if there is need and may be more; false when nothing waits. */
    fill: async (): Promise<boolean> => {
      while (pending.length === 0 && isWoken) {
        isWoken = false;
        const events = await more();
        // Whoever wakes it meanwhile is not missed.
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

/** As many as may be told in one turn, at least one. */
async function nextOf<E, M>(
  pending: E[],
  { prepare, sizeOf }: EventHubOptions<E, M>,
): Promise<M[]> {
  const messages: M[] = [];
  let bytes = 0;
  while (messages.length < MAX_TOLD && bytes < MAX_TOLD_BYTES && pending.length > 0) {
    const message = await prepare(pending.shift() as E);
    bytes += sizeOf(message);
    messages.push(message);
  }
  return messages;
}

/** One listener's failure is its own. */
function settle<M>(listener: Listener<M>, log: Log, call: () => void): void {
  try {
    call();
  } catch (error) {
    log.error('A listener failed and is ended.', { error });
    listener.end();
  }
}

function createPlaces({ maxListeners, maxPerKey }: { maxListeners: number; maxPerKey: number }) {
  const taken = new Map<string, number>();
  return {
    take: (key: string | null, size: number): (() => void) => {
      if (size >= maxListeners) throw refusal('overloaded', 'Too many listen already');
      if (key === null) return () => {};
      const count = taken.get(key) ?? 0;
      if (count >= maxPerKey) {
        throw refusal('too_many_requests', 'Too many listen from this address');
      }
      taken.set(key, count + 1);
      return () => {
        const left = (taken.get(key) ?? 0) - 1;
        if (left > 0) taken.set(key, left);
        else taken.delete(key);
      };
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
