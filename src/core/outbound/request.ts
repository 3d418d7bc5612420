import type { Target } from './address.ts';
import type { BreakerOptions } from './breaker.ts';
import { FIRST_RETRY_MS } from './connect.ts';
import { OutboundError } from './errors.ts';
import type { Settings } from './options.ts';

export type OutboundMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface OutboundCaching {
  /** Whose answers these are; without it they are anyone's, and `private` ones are not kept. */
  readonly key?: string | undefined;
  /** Keeps every good answer as long, whatever it says; without it RFC 9111 decides. */
  readonly ttlMs?: number | undefined;
  /** How long past its time an answer may be served, while it is fetched anew or if that fails. */
  readonly staleMs?: number | undefined;
  /** Asks anew though what is kept still holds, and keeps that; it is confirmed where it can be. */
  readonly renew?: boolean | undefined;
}

/** One call to an outside address. What is left out has the default of the client. */
export interface OutboundRequest {
  readonly url: string;
  /** Default GET. */
  readonly method?: OutboundMethod | undefined;
  /** The source's own. Only accept-language and user-agent follow a redirect to another origin. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as application/json unless `headers` name a type. Not with GET and HEAD. */
  readonly body?: string | undefined;
  /**
   * Media types that are taken; where one is JSON, all of JSON are. Default: JSON by its content,
   * whatever its label, because hosts of raw files label it text/plain, or not at all.
   */
  readonly accept?: readonly string[] | undefined;
  /** Statuses that are answers beside 200 to 299; their bodies are read. None of redirects. */
  readonly statuses?: readonly number[] | undefined;
  /** For the whole call: queue, DNS, connect, redirects, retries and body. */
  readonly timeoutMs?: number | undefined;
  /**
   * To resolve the name, and again for a connection to stand; of the latter at least 1,200 ms. Only
   * Linux tells of connections: elsewhere `headerTimeoutMs` is what ends them.
   */
  readonly connectTimeoutMs?: number | undefined;
  /** From dialling to the end of the headers, on top of `connectTimeoutMs`. */
  readonly headerTimeoutMs?: number | undefined;
  /** Largest body, as sent and decompressed. */
  readonly maxBytes?: number | undefined;
  /** Requests at once to the host and port, with those of others. */
  readonly maxPerHost?: number | undefined;
  /** Further requests after a transient failure; none for POST and PATCH. */
  readonly retries?: number | undefined;
  readonly breaker?: BreakerOptions | false | undefined;
  /**
   * On whose behalf the call is made, unless the call names its caller. They share lookups, places
   * and the queue fairly; and no owner opens the circuit of another.
   */
  readonly owner?: string | undefined;
  /** For GET and HEAD. Default: not at all. */
  readonly cache?: OutboundCaching | false | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OutboundReply {
  /** 200 to 299, or one that the request names. */
  readonly status: number;
  /** Lower case, without parameters; empty where the answer has none. */
  readonly mediaType: string;
  /** Parsed JSON, the text of another type, or null without a body. It may belong to others too. */
  readonly data: unknown;
  readonly cache: 'miss' | 'hit' | 'stale' | 'revalidated' | 'off';
  /** Whole seconds since the answer was made. */
  readonly ageSeconds: number;
  readonly elapsedMs: number;
  /** 1 and the retries; 0 when nothing had to be sent. */
  readonly attempts: number;
}

/** A request that was judged, with all its defaults. */
export interface Plan {
  readonly target: Target;
  readonly method: OutboundMethod;
  /** Names in lower case and in order. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Undefined: JSON by its content. */
  readonly accept: readonly string[] | undefined;
  readonly statuses: readonly number[];
  readonly timeoutMs: number;
  readonly attemptMs: number;
  readonly connectMs: number;
  readonly dialMs: number;
  readonly headerMs: number;
  readonly maxBytes: number;
  readonly maxPerHost: number;
  readonly retries: number;
  readonly breaker: BreakerOptions | false;
  readonly owner: string | undefined;
  /** Who takes the place: the client behind the call, or the owner. */
  readonly caller: string | undefined;
  readonly cache: OutboundCaching | false;
  readonly signal: AbortSignal | undefined;
}

/** As many bytes as common servers take. */
const MAX_HEADER_LENGTH = 8_192;

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// Visible ASCII, blanks and the bytes above: what a field may have (RFC 9110, 5.5).
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** What frames or steers the exchange, or is decided here: no caller may set it. */
const RESERVED: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'keep-alive',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;
/** A call of a source that asks for caching. */
export type CachedPlan = Plan & { readonly cache: OutboundCaching };

export function isKept(plan: Plan): plan is CachedPlan {
  return plan.cache !== false;
}

const SAFE: ReadonlySet<OutboundMethod> = new Set(['GET', 'HEAD']);
const IDEMPOTENT: ReadonlySet<OutboundMethod> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

/** Whether a request may be sent again though the first may have been heard (RFC 9110, 9.2.2). */
export function isIdempotent(method: OutboundMethod): boolean {
  return IDEMPOTENT.has(method);
}

/** Before a connection was asked for twice it is not late; the rest is for the kernel to do so. */
const LEAST_DIAL_MS = FIRST_RETRY_MS + 200;

/** Judges a request before anything is sent. Throws url_refused or request_refused. */
export function planRequest(
  request: OutboundRequest,
  settings: Settings,
  parse: (url: string) => Target,
): Plan {
  const { url, method = 'GET', signal, body } = request;
  const target = parse(url);
  const isSafe = SAFE.has(method);
  if (isSafe && body !== undefined) throw refused(`${method} has no body`);
  return {
    target,
    method,
    headers: checkedHeaders(request.headers ?? {}, body !== undefined),
    body,
    accept: request.accept && checkedTypes(request.accept),
    statuses: request.statuses ?? [],
    ...limitsOf(request, settings),
    breaker: request.breaker ?? settings.breaker,
    owner: request.owner,
    caller: request.owner,
    cache: isSafe ? (request.cache ?? false) : false,
    signal,
  };
}

function limitsOf(request: OutboundRequest, settings: Settings) {
  const timeoutMs = request.timeoutMs ?? settings.deadlineMs;
  const retries = isIdempotent(request.method ?? 'GET') ? (request.retries ?? settings.retries) : 0;
  // Whoever sets the whole sets its parts: each attempt gets an equal share.
  const attemptMs = request.timeoutMs ? timeoutMs / (retries + 1) : settings.attemptMs;
  const connectMs = request.connectTimeoutMs ?? attemptMs;
  const dialMs = Math.max(request.connectTimeoutMs ?? settings.connectMs, LEAST_DIAL_MS);
  return {
    timeoutMs,
    attemptMs,
    connectMs,
    dialMs,
    headerMs: connectMs + (request.headerTimeoutMs ?? attemptMs),
    maxBytes: request.maxBytes ?? settings.maxBytes,
    maxPerHost: request.maxPerHost ?? settings.maxPerHost,
    retries,
  };
}

function checkedTypes(types: readonly string[]): string[] {
  const accepted = types.map((type) => type.trim().toLowerCase());
  if (accepted.length > 0 && accepted.every((type) => MEDIA_TYPE.test(type))) return accepted;
  throw refused('The accepted media types are not media types');
}

/**
 * The headers of a request, names in lower case and in order, with a type where there is a
 * body. Throws request_refused for a name or value that could break the framing, a name that
 * is decided here, a name that comes twice, and more than 8,192 characters in all.
 */
export function checkedHeaders(
  headers: Readonly<Record<string, string>>,
  hasBody: boolean,
): Record<string, string> {
  const entries = Object.entries(headers).map(checkedHeader);
  const checked = Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  if (Object.keys(checked).length < entries.length) throw refused('A header is named twice');
  const length = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (length > MAX_HEADER_LENGTH) throw refused(`The headers are over ${MAX_HEADER_LENGTH} bytes`);
  return hasBody ? { 'content-type': 'application/json', ...checked } : checked;
}

// A value may be a secret, so no message shows one; a bad name may be anything.
function checkedHeader([rawName, value]: [string, string]): [string, string] {
  const name = rawName.toLowerCase();
  if (!NAME.test(name)) throw refused('A header has a name that no header may have');
  if (RESERVED.has(name) || name.startsWith('proxy-')) {
    throw refused(`The header ${name} may not be set`);
  }
  if (!VALUE.test(value)) throw refused(`The header ${name} has characters that no value may have`);
  return [name, value.trim()];
}

function refused(message: string): OutboundError {
  return new OutboundError('request_refused', message);
}
