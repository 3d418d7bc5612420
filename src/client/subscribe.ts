import type { AnyAnswer } from './answer.ts';
import { HutchError } from './errors.ts';
import type { EventBlock } from './event-reader.ts';
import { retryAfterMs, sleep } from './retry.ts';

/** A route that sends events, such as `hutch.v2.items.events`. */
export interface EventRoute {
  get: (...args: never[]) => Promise<{ data: unknown; error: unknown }>;
}

/** The events of a route, without heartbeats. */
export type EventOf<R extends EventRoute> =
  Extract<Awaited<ReturnType<R['get']>>, { error: null }>['data'] extends AsyncGenerator<
    infer Block
  >
    ? Extract<Block, { event: string }>
    : never;

export interface SubscribeOptions {
  /** Ends the subscription. */
  signal?: AbortSignal;
  /** The id of the last known event: newer events are sent first. */
  lastEventId?: number | string;
  /** The first wait before a reconnection, unless the server sets one. Default: 1,000. */
  minDelayMs?: number;
  /** The longest wait before a reconnection. Default: 30,000. */
  maxDelayMs?: number;
  /** Reconnects after this time without events and heartbeats. Default: 60,000. */
  idleTimeoutMs?: number;
  /** Called when the connection is lost or fails, before the next attempt. */
  onDisconnect?: (error: HutchError | null) => void;
}

const DEFAULTS = { minDelayMs: 1000, maxDelayMs: 30_000, idleTimeoutMs: 60_000 };

/**
 * Iterates over the events of a route and reconnects when the connection ends. No event is missed or
 * repeated, because each connection sends the last id. An event `reset` means that the server no longer
 * knows that id. Ends when the signal is aborted; throws the HutchError of a permanent failure, such
 * as 401.
 */
export async function* subscribe<R extends EventRoute>(
  route: R,
  options: SubscribeOptions = {},
): AsyncGenerator<EventOf<R>, void, unknown> {
  const state: SubscriptionState = { lastId: options.lastEventId, failures: 0, retryMs: undefined };
  while (!options.signal?.aborted) {
    const lost = yield* follow(route, state, options) as AsyncGenerator<
      EventOf<R>,
      Disconnect,
      unknown
    >;
    if (options.signal?.aborted) return;
    options.onDisconnect?.(lost.error);
    await sleep(delayMs(state, options, lost.waitMs), options.signal);
    state.failures++;
  }
}

interface SubscriptionState {
  lastId: number | string | undefined;
  /** Connections without any data since the last one with data. */
  failures: number;
  /** The wait that the server set. */
  retryMs: number | undefined;
}

/** The end of a connection, and the wait that the server requests. */
interface Disconnect {
  error: HutchError | null;
  waitMs?: number | undefined;
}

/** Iterates over the events of one connection and returns how it ended. */
async function* follow(
  route: EventRoute,
  state: SubscriptionState,
  { signal, idleTimeoutMs = DEFAULTS.idleTimeoutMs }: SubscribeOptions,
): AsyncGenerator<EventBlock, Disconnect, unknown> {
  const connection = new AbortController();
  const abort = () => connection.abort();
  signal?.addEventListener('abort', abort);
  let idle = setTimeout(abort, idleTimeoutMs);
  try {
    const answer = await connect(route, state.lastId, connection.signal);
    if (answer.error) return disconnectOf(answer);
    for await (const block of answer.data as AsyncIterable<EventBlock>) {
      clearTimeout(idle);
      idle = setTimeout(abort, idleTimeoutMs);
      state.failures = 0;
      state.retryMs = block.retry ?? state.retryMs;
      state.lastId = block.id ?? state.lastId;
      if (block.event !== undefined) yield block;
    }
    return { error: null };
  } catch (cause) {
    if (cause instanceof HutchError) throw cause;
    return { error: null };
  } finally {
    clearTimeout(idle);
    signal?.removeEventListener('abort', abort);
    abort();
  }
}

function connect(route: EventRoute, lastId: SubscriptionState['lastId'], signal: AbortSignal) {
  const headers = lastId === undefined ? {} : { 'last-event-id': String(lastId) };
  const get = route.get as (options: object) => Promise<AnyAnswer>;
  return get({ headers, signal, retries: 0, throwHttpError: false });
}

/** Throws the error if it is permanent. */
function disconnectOf({ error, headers }: AnyAnswer): Disconnect {
  if (error === null) return { error };
  const isTransient =
    error.status === 0 || error.status >= 500 || [408, 429].includes(error.status);
  if (!isTransient) throw error;
  return { error, waitMs: retryAfterMs(headers) };
}

/**
 * Returns the wait that the server requests, but at least an exponential backoff with jitter, and never
 * more than the longest wait.
 */
function delayMs(state: SubscriptionState, options: SubscribeOptions, requestedMs = 0): number {
  const { minDelayMs, maxDelayMs } = { ...DEFAULTS, ...options };
  const first = options.minDelayMs ?? state.retryMs ?? minDelayMs;
  const backoffMs = first * 2 ** state.failures * (0.5 + Math.random() / 2);
  return Math.min(Math.max(requestedMs, backoffMs), maxDelayMs);
}
