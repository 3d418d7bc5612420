import { parseRetryAfterMs } from '../../utils/time/backoff.ts';
import type { Target } from './address.ts';
import { type Body, discard, readBody } from './body.ts';
import { isStillConnecting } from './connect.ts';
import { OutboundError, toOutboundError } from './errors.ts';
import type { FetchFunction } from './options.ts';
import type { PublicResolver } from './public-resolver.ts';
import { isIdempotent, type OutboundMethod, type Plan } from './request.ts';
import type { Sessions } from './sessions.ts';

/** One request of a call: the first one, or one that follows a redirect. */
export interface Hop {
  readonly target: Target;
  readonly method: OutboundMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** The dependencies of every request. */
export interface Transport {
  readonly fetch: FetchFunction;
  readonly resolve: PublicResolver;
  readonly sessions: Sessions;
  readonly userAgent: string;
  /** Milliseconds since the epoch. */
  readonly date: () => number;
}

/** A response with an accepted status. */
export interface ReceivedResponse extends Body {
  readonly status: number;
  readonly headers: Headers;
}

/** The result of one request. */
export type Exchanged =
  | ({ readonly kind: 'response' } & ReceivedResponse)
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string }
  | { readonly kind: 'not_modified'; readonly headers: Headers };

/** The attempt that a request belongs to. */
export interface Attempt {
  /** Counts from 0. Rotates the addresses, so that a retry does not start with the one that hung. */
  readonly retry: number;
  readonly signal: AbortSignal;
  /** Ends the whole exchange immediately, including its body. */
  readonly end: (reason: OutboundError) => void;
}

/** Hosts that label JSON as text/plain must not return 406. */
const ANY_JSON = 'application/json, */*;q=0.5';
// A name can have hundreds of addresses; trying them all would amount to a scan.
const MAX_ADDRESSES_TRIED = 4;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const TRANSIENT: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * Sends one request: resolves the name, checks the addresses, connects to a checked address and reads
 * the response. Returns redirects without following them. Throws OutboundError or the signal's reason.
 */
export async function exchange(
  transport: Transport,
  hop: Hop,
  plan: Plan,
  attempt: Attempt,
): Promise<Exchanged> {
  const { target } = hop;
  const limits = { host: target.host, attemptMs: plan.attemptMs, end: attempt.end };
  const resolution = transport.resolve(target, { owner: plan.caller, signal: attempt.signal });
  const addresses = await within(plan.connectMs, 'to be resolved', limits, resolution);
  const candidates = rotated(addresses, attempt.retry).slice(0, MAX_ADDRESSES_TRIED);
  const responding = requestFirst(transport, hop, plan, candidates, attempt);
  const response = await within(plan.headerMs, 'to answer', limits, responding);
  return readResponse(response, hop, plan, transport.date());
}

function rotated<T>(values: readonly T[], by: number): readonly T[] {
  const first = by % values.length;
  return first === 0 ? values : [...values.slice(first), ...values.slice(0, first)];
}

interface Limits extends Pick<Attempt, 'end'> {
  /** The host as messages name it. */
  readonly host: string;
  readonly attemptMs: number;
}

// The timer ends the whole exchange, because the signal of the fetch must stay in use for the body.
function within<T>(
  limitMs: number,
  action: string,
  { host, attemptMs, end }: Limits,
  task: Promise<T>,
): Promise<T> {
  // The attempt times out first.
  if (limitMs >= attemptMs) return task;
  const onTimeout = () => {
    const message = `${host} took longer than ${limitMs} ms ${action}`;
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

/** Sends the request to the first address that accepts it. Throws the error of the last address. */
async function requestFirst(
  transport: Transport,
  hop: Hop,
  plan: Plan,
  addresses: readonly string[],
  { signal, end }: Attempt,
): Promise<Response> {
  let failure: OutboundError | undefined;
  for (const address of addresses) {
    signal.throwIfAborted();
    try {
      const response = request(transport, hop, plan, address, signal);
      return await endIfUnconnected(hop, plan, address, end, response);
    } catch (error) {
      failure = toOutboundError(error, hop.target.host);
      const mayRepeat = failure.isUnsent || isIdempotent(hop.method);
      if (!failure.retryable || !mayRepeat) throw failure;
    }
  }
  throw failure ?? new OutboundError('dns_failed', `${hop.target.host} cannot be resolved`);
}

/** Ends the exchange if there is no connection after `dialMs`; otherwise returns the response. */
function endIfUnconnected(
  { target: { host, port } }: Hop,
  { dialMs, attemptMs }: Plan,
  address: string,
  end: Attempt['end'],
  response: Promise<Response>,
): Promise<Response> {
  if (dialMs >= attemptMs) return response;
  const checkConnection = async () => {
    const isConnecting = await isStillConnecting(address, port);
    if (!isConnecting || Bun.peek.status(response) !== 'pending') return;
    const message = `${host} took longer than ${dialMs} ms to accept a connection`;
    end(new OutboundError('timeout', message, { retryable: true }));
  };
  return timed(dialMs, () => void checkConnection().catch(end), response);
}

function request(
  transport: Transport,
  hop: Hop,
  plan: Plan,
  address: string,
  signal: AbortSignal,
): Promise<Response> {
  const { target, method, body } = hop;
  const literal = address.includes(':') ? `[${address}]` : address;
  return transport.fetch(`${target.protocol}//${literal}:${target.port}${target.path}`, {
    method,
    headers: {
      'user-agent': transport.userAgent,
      ...hop.headers,
      host: target.host,
      accept: plan.accept?.join(', ') ?? ANY_JSON,
      'accept-encoding': 'gzip',
    },
    ...(body === undefined ? {} : { body }),
    session: transport.sessions.for(target),
    proxy: false,
    redirect: 'manual',
    decompress: false,
    signal,
    // Pinned, so that no environment variable changes it; Bun allows a version only with https.
    ...(target.protocol === 'https:' ? { protocol: 'http1.1' as const } : {}),
  });
}

async function readResponse(
  response: Response,
  { target, method, headers: sent }: Hop,
  { accept, maxBytes, statuses, ignoresBody }: Plan,
  nowMs: number,
): Promise<Exchanged> {
  const { host } = target;
  const { status, headers } = response;
  if (response.ok || statuses.includes(status)) {
    if (ignoresBody) {
      discard(response);
      return { kind: 'response', status, headers, mediaType: '', data: null, bytes: 0 };
    }
    const body = await readBody(response, { host, method, accept, maxBytes });
    return { kind: 'response', status, headers, ...body };
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
  // A 429 without Retry-After does not say when a retry may succeed.
  const retryable = TRANSIENT.has(status) || (status === 429 && retryAfterMs !== undefined);
  const message = `${host} answered ${status}`;
  return new OutboundError('bad_status', message, { status, retryable, retryAfterMs });
}
