import type { AnyAnswer } from './answer.ts';
import { HutchError } from './errors.ts';
import type { EventBlock } from './event-reader.ts';
import { retryAfterMs, sleep } from './retry.ts';

/** A route that sends events, as `hutch.v2.items.events`. */
export interface EventRoute {
  get: (...args: never[]) => Promise<{ data: unknown; error: unknown }>;
}

/** The events of a route, without the blocks that only keep the connection. */
export type EventOf<R extends EventRoute> =
  Extract<Awaited<ReturnType<R['get']>>, { error: null }>['data'] extends AsyncGenerator<
    infer Block
  >
    ? Extract<Block, { event: string }>
    : never;

export interface SubscribeOptions {
  /** Ends the subscription. */
  signal?: AbortSignal;
  /** The id of the last event that is known already: what happened since comes first. */
  lastEventId?: number | string;
  /** The first wait before a reconnection, if the server names none. Default: 1,000. */
  minDelayMs?: number;
  /** The longest wait before a reconnection. Default: 30,000. */
  maxDelayMs?: number;
  /** Reconnects when nothing, not even a heartbeat, came for so long. Default: 60,000. */
  idleTimeoutMs?: number;
  /** Called when the connection is lost or cannot be made, before it is tried again. */
  onDisconnect?: (error: HutchError | null) => void;
}

const DEFAULTS = { minDelayMs: 1000, maxDelayMs: 30_000, idleTimeoutMs: 60_000 };

/**
 * Iterates over the events of a route, and reconnects when the connection ends: no event is left out
 * and none comes twice, because the server is told the last id. An event `reset` says that
 * it no longer knows that id. Ends when the signal is aborted; throws the HutchError of a refusal that
 * a repeat would not change, such as 401.
 */
export async function* subscribe<R extends EventRoute>(
  route: R,
  options: SubscribeOptions = {},
): AsyncGenerator<EventOf<R>, void, unknown> {
  const at: Position = { lastId: options.lastEventId, failures: 0, retryMs: undefined };
  while (!options.signal?.aborted) {
    const lost = yield* follow(route, at, options) as AsyncGenerator<EventOf<R>, Lost, unknown>;
    if (options.signal?.aborted) return;
    options.onDisconnect?.(lost.error);
    await sleep(delayMs(at, options, lost.waitMs), options.signal);
    at.failures++;
  }
}

interface Position {
  lastId: number | string | undefined;
  /** Connections that brought nothing, since one that did. */
  failures: number;
  /** What the server asks to wait. */
  retryMs: number | undefined;
}

/** Why a connection ended, and how long the server asks to wait. */
interface Lost {
  error: HutchError | null;
  waitMs?: number | undefined;
}

/** The events of one connection. Returns why it ended. */
async function* follow(
  route: EventRoute,
  at: Position,
  { signal, idleTimeoutMs = DEFAULTS.idleTimeoutMs }: SubscribeOptions,
): AsyncGenerator<EventBlock, Lost, unknown> {
  const connection = new AbortController();
  const abort = () => connection.abort();
  signal?.addEventListener('abort', abort);
  let idle = setTimeout(abort, idleTimeoutMs);
  try {
    const answer = await connect(route, at.lastId, connection.signal);
    if (answer.error) return lostBy(answer);
    for await (const block of answer.data as AsyncIterable<EventBlock>) {
      clearTimeout(idle);
      idle = setTimeout(abort, idleTimeoutMs);
      at.failures = 0;
      at.retryMs = block.retry ?? at.retryMs;
      at.lastId = block.id ?? at.lastId;
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

function connect(route: EventRoute, lastId: Position['lastId'], signal: AbortSignal) {
  const headers = lastId === undefined ? {} : { 'last-event-id': String(lastId) };
  const get = route.get as (options: object) => Promise<AnyAnswer>;
  return get({ headers, signal, retries: 0, throwHttpError: false });
}

/** Throws the error if another attempt would get it too. */
function lostBy({ error, headers }: AnyAnswer): Lost {
  if (error === null) return { error };
  const isPassing = error.status === 0 || error.status >= 500 || [408, 429].includes(error.status);
  if (!isPassing) throw error;
  return { error, waitMs: retryAfterMs(headers) };
}

/**
 * What the server asks to wait, but at least between half and all of a wait that doubles with each
 * connection that brought nothing; and never more than the longest wait.
 */
function delayMs(at: Position, options: SubscribeOptions, askedMs = 0): number {
  const { minDelayMs, maxDelayMs } = { ...DEFAULTS, ...options };
  const first = options.minDelayMs ?? at.retryMs ?? minDelayMs;
  const backoffMs = first * 2 ** at.failures * (0.5 + Math.random() / 2);
  return Math.min(Math.max(askedMs, backoffMs), maxDelayMs);
}
