import { parseRetryAfterMs } from '../../utils/time/backoff.ts';
import type { Target } from './address.ts';
import { type Body, discard, readBody } from './body.ts';
import { isStillConnecting } from './connect.ts';
import { OutboundError, toOutboundError } from './errors.ts';
import type { FetchFunction } from './options.ts';
import type { PublicResolver } from './public-resolver.ts';
import { isIdempotent, type OutboundMethod, type Plan } from './request.ts';
import type { HttpSessions } from './sessions.ts';

/** One request of a call: the first, or where a redirect led. */
export interface Hop {
  readonly target: Target;
  readonly method: OutboundMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** What one request needs and does not decide. */
export interface Wire {
  readonly fetch: FetchFunction;
  readonly resolve: PublicResolver;
  readonly sessions: HttpSessions;
  readonly userAgent: string;
  /** Milliseconds since the epoch. */
  readonly date: () => number;
}

/** A good answer. */
export interface Answer extends Body {
  readonly status: number;
  readonly headers: Headers;
}

/** The answer, where to look for it, or that the one that is known still holds. */
export type Reply =
  | ({ readonly kind: 'answer' } & Answer)
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string }
  | { readonly kind: 'not_modified'; readonly headers: Headers };

/** What rules one exchange. */
export interface Turn {
  /** From 0; chooses which address comes first, so that a retry does not begin with the one that hung. */
  readonly retry: number;
  readonly signal: AbortSignal;
  /** Ends the exchange at once, body and all. */
  readonly end: (reason: OutboundError) => void;
}

/** For JSON by its content: a host that knows no better label than text/plain answers as well. */
const ANY_JSON = 'application/json, */*;q=0.5';
// A name can have hundreds of addresses; a request is no port scan.
const MAX_ADDRESSES_TRIED = 4;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const TRANSIENT: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * One request: resolve, judge, dial what was judged, read the answer. Redirects are reported
 * and not followed. Throws OutboundError, or the signal's reason.
 */
export async function exchange(wire: Wire, hop: Hop, plan: Plan, turn: Turn): Promise<Reply> {
  const { target } = hop;
  const limits = { host: target.host, attemptMs: plan.attemptMs, end: turn.end };
  const resolving = wire.resolve(target, { owner: plan.caller, signal: turn.signal });
  const addresses = await within(plan.connectMs, 'to be resolved', limits, resolving);
  const first = turn.retry % addresses.length;
  const turns = first === 0 ? addresses : [...addresses.slice(first), ...addresses.slice(0, first)];
  const dialling = dialInTurn(wire, hop, plan, turns.slice(0, MAX_ADDRESSES_TRIED), turn);
  const response = await within(plan.headerMs, 'to answer', limits, dialling);
  return readReply(response, hop, plan, wire.date());
}

interface Limits extends Pick<Turn, 'end'> {
  /** For messages. */
  readonly host: string;
  readonly attemptMs: number;
}

// The timer ends the whole exchange: the signal of the fetch must outlive it for the body.
function within<T>(
  limitMs: number,
  what: string,
  { host, attemptMs, end }: Limits,
  task: Promise<T>,
): Promise<T> {
  // The attempt would be over first.
  if (limitMs >= attemptMs) return task;
  const onTimeout = () => {
    const message = `${host} took longer than ${limitMs} ms ${what}`;
    end(new OutboundError('timeout', message, { retryable: true }));
  };
  return timed(limitMs, onTimeout, task);
}

async function timed<T>(limitMs: number, onTimeout: () => void, task: Promise<T>): Promise<T> {
  const timer = setTimeout(onTimeout, limitMs);
  try {
    return await task;
  } finally {
    clearTimeout(timer);
  }
}

async function dialInTurn(
  wire: Wire,
  hop: Hop,
  plan: Plan,
  addresses: readonly string[],
  { signal, end }: Turn,
): Promise<Response> {
  let failure: OutboundError | undefined;
  for (const address of addresses) {
    signal.throwIfAborted();
    try {
      return await connected(hop, plan, address, end, dial(wire, hop, plan, address, signal));
    } catch (error) {
      failure = toOutboundError(error, hop.target.host);
      const mayBeHeard = !failure.isUnsent && !isIdempotent(hop.method);
      if (!failure.retryable || mayBeHeard) throw failure;
    }
  }
  throw failure ?? new OutboundError('dns_failed', `${hop.target.host} cannot be resolved`);
}

/** Waits for an answer, and ends the exchange where there is not even a connection in time. */
function connected(
  { target: { host, port } }: Hop,
  { dialMs, attemptMs }: Plan,
  address: string,
  end: Turn['end'],
  dialling: Promise<Response>,
): Promise<Response> {
  if (dialMs >= attemptMs) return dialling;
  const judge = async () => {
    const isLate = await isStillConnecting(address, port);
    if (!isLate || Bun.peek.status(dialling) !== 'pending') return;
    const message = `${host} took longer than ${dialMs} ms to accept a connection`;
    end(new OutboundError('timeout', message, { retryable: true }));
  };
  return timed(dialMs, () => void judge().catch(end), dialling);
}

function dial(wire: Wire, hop: Hop, plan: Plan, address: string, signal: AbortSignal) {
  const { target, method, body } = hop;
  const literal = address.includes(':') ? `[${address}]` : address;
  return wire.fetch(`${target.protocol}//${literal}:${target.port}${target.path}`, {
    method,
    headers: {
      'user-agent': wire.userAgent,
      ...hop.headers,
      host: target.host,
      accept: plan.accept?.join(', ') ?? ANY_JSON,
      'accept-encoding': 'gzip',
    },
    ...(body === undefined ? {} : { body }),
    session: wire.sessions.for(target),
    proxy: false,
    redirect: 'manual',
    decompress: false,
    signal,
    // Only https may name a version; no switch in the environment may choose another.
    ...(target.protocol === 'https:' ? { protocol: 'http1.1' as const } : {}),
  });
}

async function readReply(
  response: Response,
  { target, method, headers: sent }: Hop,
  { accept, maxBytes, statuses }: Plan,
  nowMs: number,
): Promise<Reply> {
  const { host } = target;
  const { status, headers } = response;
  if (response.ok || statuses.includes(status)) {
    const body = await readBody(response, { host, method, accept, maxBytes });
    return { kind: 'answer', status, headers, ...body };
  }
  discard(response);
  const isConditional = 'if-none-match' in sent || 'if-modified-since' in sent;
  if (status === 304 && isConditional) return { kind: 'not_modified', headers };
  if (!REDIRECTS.has(status)) throw badStatus(response, host, nowMs);
  const location = headers.get('location');
  if (location) return { kind: 'redirect', status, location };
  throw new OutboundError('bad_redirect', `${host} redirected to nowhere`);
}

function badStatus({ status, headers }: Response, host: string, nowMs: number): OutboundError {
  const retryAfterMs = parseRetryAfterMs(headers.get('retry-after'), nowMs);
  // Who is told when to come back may come back; a bare 429 says nothing of when.
  const retryable = TRANSIENT.has(status) || (status === 429 && retryAfterMs !== undefined);
  const message = `${host} answered ${status}`;
  return new OutboundError('bad_status', message, { status, retryable, retryAfterMs });
}
