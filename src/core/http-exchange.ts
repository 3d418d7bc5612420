import { parseRetryAfterMs } from '../utils/backoff.ts';
import { type Lookup, resolvePublic, type Target } from './address.ts';
import { discard, readJson } from './http-body.ts';
import type { HttpSessions } from './http-sessions.ts';
import { OutboundError, toOutboundError } from './outbound-error.ts';

/** The part of Bun's fetch that is used. */
export type FetchFunction = (url: string, init: BunFetchRequestInit) => Promise<Response>;

/** What one request needs and does not decide. */
export interface Wire {
  readonly fetch: FetchFunction;
  readonly lookup: Lookup;
  readonly sessions: HttpSessions;
  readonly userAgent: string;
  readonly maxBytes: number;
}

/** Either the JSON, or where to look for it. */
export type Reply = { readonly data: unknown } | { readonly location: string };

// A name can have hundreds of addresses; a request is no port scan.
const MAX_ADDRESSES_TRIED = 4;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const TRANSIENT: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * One GET: resolve, judge, dial what was judged, read the answer. Redirects are reported and
 * not followed. `attempt` (from 0) chooses which address comes first, so that a retry does
 * not begin with the one that hung. Throws OutboundError, or the signal's reason.
 */
export async function exchange(
  wire: Wire,
  target: Target,
  attempt: number,
  signal: AbortSignal,
): Promise<Reply> {
  const addresses = await resolvePublic(target, wire.lookup);
  const first = attempt % addresses.length;
  const turns = [...addresses.slice(first), ...addresses.slice(0, first)];
  const response = await dialInTurn(wire, target, turns.slice(0, MAX_ADDRESSES_TRIED), signal);
  return readReply(response, target, wire.maxBytes);
}

async function dialInTurn(
  wire: Wire,
  target: Target,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<Response> {
  let failure: OutboundError | undefined;
  for (const address of addresses) {
    signal.throwIfAborted();
    try {
      return await dial(wire, target, address, signal);
    } catch (error) {
      failure = toOutboundError(error, target.host);
      if (!failure.retryable) throw failure;
    }
  }
  throw failure ?? new OutboundError('dns_failed', `${target.host} cannot be resolved`);
}

function dial(wire: Wire, target: Target, address: string, signal: AbortSignal) {
  const literal = address.includes(':') ? `[${address}]` : address;
  return wire.fetch(`${target.protocol}//${literal}:${target.port}${target.path}`, {
    headers: {
      Host: target.host,
      'User-Agent': wire.userAgent,
      Accept: 'application/json',
      'Accept-Encoding': 'gzip',
    },
    session: wire.sessions.for(target),
    proxy: false,
    redirect: 'manual',
    decompress: false,
    signal,
    // Only https may name a version; no switch in the environment may choose another.
    ...(target.protocol === 'https:' ? { protocol: 'http1.1' as const } : {}),
  });
}

async function readReply(response: Response, target: Target, maxBytes: number): Promise<Reply> {
  if (response.ok) return { data: await readJson(response, { host: target.host, maxBytes }) };
  discard(response);
  if (!REDIRECTS.has(response.status)) throw badStatus(response, target.host);
  const location = response.headers.get('location');
  if (location) return { location };
  throw new OutboundError('bad_redirect', `${target.host} redirected to nowhere`);
}

function badStatus({ status, headers }: Response, host: string): OutboundError {
  return new OutboundError('bad_status', `${host} answered ${status}`, {
    status,
    retryable: TRANSIENT.has(status),
    retryAfterMs: parseRetryAfterMs(headers.get('retry-after')),
  });
}
