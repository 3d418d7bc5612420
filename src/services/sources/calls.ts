import { LRUCache } from 'lru-cache';
import type { Actor, AnyActor } from '../../core/actor.ts';
import type { Cache } from '../../core/cache.ts';
import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type {
  CallContext,
  Outbound,
  OutboundRequest,
  OutboundResponse,
} from '../../core/outbound/client.ts';
import { OutboundError } from '../../core/outbound/errors.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import type { SourceRow } from '../../models/sources.ts';
import {
  type Fields,
  type PlainField,
  SOURCES_TAG,
  type Source,
  sourceByName,
  sourceNotFound,
  sourceOf,
} from './definition.ts';
import { callError } from './errors.ts';
import { type CallInput, forwardedHeaders, requestOf, type SourceRequest } from './request.ts';
import { openedFields } from './secrets.ts';
import type { SourceStats } from './stats.ts';

export interface SourceCallsDeps {
  db: Db;
  cache: Pick<Cache, 'wrap'>;
  box: SecretBox;
  outbound: Pick<Outbound, 'call'>;
  stats: Pick<SourceStats, 'add'>;
}

/** One call of a source, with the signal of its client. */
export type SourceCall = CallInput & Pick<CallContext, 'signal'>;

/** The response of a source, and how long its caller may cache it. */
export interface SourceResponse {
  reply: OutboundResponse;
  /** Whole seconds for which it is the same for everyone; 0 if it depends on the caller. */
  freshSeconds: number;
}

/** A source with its secrets opened, ready to be called. */
type OpenedSource = Omit<Source, 'query' | 'headers'> & {
  query: Fields<PlainField>;
  headers: Fields<PlainField>;
};

/** Identifies an account to the limits of the outbound client. */
export function callerName({ id }: Pick<Actor, 'id'>): string {
  return `user ${id}`;
}

export type SourceCalls = ReturnType<typeof createSourceCalls>;

const SCOPE = 'external:read';
/** Sources whose opened secrets are cached; those of any further one are opened at each call. */
const MAX_OPENED = 1_000;
/** Requests that are cached for repeated calls. */
const MAX_REQUESTS = 1_000;
/** The longest time for which a change by another process goes unnoticed. */
const SOURCE_TTL_MS = 5_000;

/** Calls sources for the callers that the sources admit. */
export function createSourceCalls(deps: SourceCallsDeps) {
  const find = createFind(deps);
  const open = createOpen(deps.box);
  const callSource = createCall(deps);
  /** Throws ParameterError and OutboundError as well as AppError. */
  const tryCall = async (actor: AnyActor, name: string, call: SourceCall) => {
    const { value: row } = await find(name);
    requireAccess(row, actor);
    const source = await open(row);
    const caller = actor.id === null ? undefined : callerName(actor);
    return { source, reply: await callSource(source, { ...call, caller }) };
  };
  return {
    /** Like `call`, but throws ParameterError and OutboundError unchanged. */
    tryCall,

    /**
     * Calls a source. Throws not_found, unauthenticated, insufficient_scope, invalid_query,
     * secrets_unreadable, upstream_failed, upstream_timeout, overloaded and circuit_open.
     */
    call: async (actor: AnyActor, name: string, call: SourceCall): Promise<SourceResponse> => {
      try {
        const { source, reply } = await tryCall(actor, name, call);
        return { reply, freshSeconds: freshSeconds(source, reply) };
      } catch (error) {
        throw callError(name, error);
      }
    },

    /** Replaces the cached response to a call with a new one. Throws like `tryCall`. */
    refresh: async (row: SourceRow, parameters: CallInput['parameters'], signal: AbortSignal) => {
      await callSource(await open(row), { parameters, format: 'json', signal: () => signal }, true);
    },
  };
}

/** Creates a function that finds an enabled source, cached until any changes. Throws not_found. */
function createFind({ db, cache }: Pick<SourceCallsDeps, 'db' | 'cache'>) {
  const options = { name: 'source', ttlMs: SOURCE_TTL_MS, tags: [SOURCES_TAG] };
  return cache.wrap(options, async (name: string): Promise<SourceRow> => {
    const [row] = await sourceByName(db.read, { name });
    if (!row?.is_enabled) throw sourceNotFound(name);
    return row;
  });
}

/** Creates a function that opens the secrets of a source, once for each of its versions. */
function createOpen(box: SecretBox) {
  const opened = new LRUCache<number, OpenedSource>({ max: MAX_OPENED });
  return async (row: SourceRow): Promise<OpenedSource> => {
    const cached = opened.get(row.id);
    if (cached?.version === row.version) return cached;
    const source = sourceOf(row);
    const plain = { ...source, ...(await openedFields(box, source)) };
    opened.set(row.id, plain);
    return plain;
  };
}

/** Throws unauthenticated, insufficient_scope. */
function requireAccess({ access }: SourceRow, actor: AnyActor): void {
  if (access === 'public') return;
  if (actor.id === null) throw new AppError('unauthenticated', 'Not authenticated');
  if (access === 'user' || !actor.scopes || actor.scopes.includes(SCOPE)) return;
  throw new AppError('insufficient_scope', `The token lacks the scope ${SCOPE}`);
}

/** Creates a function that calls a source and counts the call. */
function createCall({ outbound, stats }: SourceCallsDeps) {
  const outboundFor = createOutboundRequests();
  return async (
    source: OpenedSource,
    call: SourceCall & CallContext,
    renew = false,
  ): Promise<OutboundResponse> => {
    const request = outboundFor(source, call, renew);
    try {
      const reply = await outbound.call(request, call);
      stats.add(source.id, reply);
      return reply;
    } catch (error) {
      if (error instanceof OutboundError) {
        stats.add(source.id, { error: error.code, elapsedMs: error.elapsedMs });
      }
      throw error;
    }
  };
}

/**
 * Creates a function that builds the outbound request of a call. It returns the same object for
 * the same cached request, which the outbound client then checks only once.
 */
function createOutboundRequests() {
  const requestFor = createRequests();
  const built = new WeakMap<SourceRequest, OutboundRequest>();
  return (source: OpenedSource, call: SourceCall, renew: boolean): OutboundRequest => {
    const request = requestFor(source, call);
    const cached = renew ? undefined : built.get(request);
    if (cached) return cached;
    const caching = cachingOf(source, call);
    const outbound = {
      ...request,
      ...limitsOf(source),
      cache: caching ? { ...caching, renew } : (false as const),
    };
    if (!renew) built.set(request, outbound);
    return outbound;
  };
}

/** Creates a function that builds the request of a call, cached unless headers are forwarded. */
function createRequests() {
  const requests = new LRUCache<string, SourceRequest>({ max: MAX_REQUESTS });
  return (source: OpenedSource, call: CallInput): SourceRequest => {
    if (source.ttl_seconds === 0 || source.forward_headers.length > 0) {
      return requestOf(source, call);
    }
    const { id, version } = source;
    const key = JSON.stringify([id, version, call.format, call.parameters]);
    const request = requests.get(key) ?? requestOf(source, call);
    requests.set(key, request);
    return request;
  };
}

function limitsOf(source: OpenedSource) {
  const { id, accept, timeout_ms, max_bytes, max_per_host, retries, breaker } = source;
  return {
    accept,
    timeoutMs: timeout_ms,
    maxBytes: max_bytes,
    maxPerHost: max_per_host,
    retries,
    owner: `source ${id}`,
    breaker: breaker
      ? { failures: breaker.failures, openMs: breaker.open_seconds * 1000 }
      : (false as const),
  };
}

/** The cache entry of a call: one for each version of the source and set of forwarded headers. */
function cachingOf(source: OpenedSource, { headers }: SourceCall) {
  const { id, version, ttl_seconds, stale_seconds } = source;
  if (ttl_seconds === 0) return false;
  const forwarded = JSON.stringify(forwardedHeaders(source, headers));
  return {
    // A hash, because a client's headers may be long or contain a secret.
    key: `source ${id} ${version} ${Bun.SHA256.hash(forwarded, 'base64')}`,
    ...(ttl_seconds !== null && { ttlMs: ttl_seconds * 1000 }),
    staleMs: stale_seconds * 1000,
  };
}

function freshSeconds(source: OpenedSource, { cache, ageSeconds }: OutboundResponse): number {
  const { access, forward_headers, ttl_seconds } = source;
  const isSameForAll = access === 'public' && forward_headers.length === 0;
  if (!isSameForAll || ttl_seconds === null || cache === 'off') return 0;
  return Math.max(0, ttl_seconds - ageSeconds);
}
