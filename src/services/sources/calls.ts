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
import type { SourceRow } from '../../models/index.ts';
import { callError } from './errors.ts';
import { createFind, createOpen, createRequests, type Opened } from './kept.ts';
import { forwardedOf, type Given, type SourceRequest } from './request.ts';
import type { SourceStats } from './stats.ts';

export interface SourceCallsDeps {
  db: Db;
  cache: Pick<Cache, 'wrap'>;
  box: SecretBox;
  outbound: Pick<Outbound, 'call'>;
  stats: Pick<SourceStats, 'add'>;
}

/** What is asked of a source. */
export type SourceCall = Given & Pick<CallContext, 'signal'>;

/** An answer, with how it may be kept by who asked for it. */
export interface SourceAnswer {
  reply: OutboundResponse;
  /** Whole seconds for which it is the same for anyone; 0 where it is one caller's. */
  freshSeconds: number;
}

/** The name under which an account shares the limits of outside calls with others. */
export function callerName({ id }: Pick<Actor, 'id'>): string {
  return `user ${id}`;
}

export type SourceCalls = ReturnType<typeof createSourceCalls>;

const SCOPE = 'external:read';

/** Calls of sources by those whom the sources let in. */
export function createSourceCalls(deps: SourceCallsDeps) {
  const find = createFind(deps);
  const open = createOpen(deps.box);
  const callSource = createCall(deps);
  /** Throws ParameterError and OutboundError beside AppError. */
  const tryCall = async (actor: AnyActor, name: string, call: SourceCall) => {
    const { value: row } = await find(name);
    admit(row, actor);
    const source = await open(row);
    const caller = actor.id === null ? undefined : callerName(actor);
    const context = { ...call, caller };
    return { source, reply: await callSource(source, context) };
  };
  return {
    /** As `call`, with the errors of parameters and of the way out as they are. */
    tryCall,

    /**
     * Calls a source. Throws not_found, unauthenticated, insufficient_scope, invalid_query,
     * secrets_unreadable, upstream_failed, upstream_timeout, overloaded and circuit_open.
     */
    call: async (actor: AnyActor, name: string, call: SourceCall): Promise<SourceAnswer> => {
      try {
        const { source, reply } = await tryCall(actor, name, call);
        return { reply, freshSeconds: freshSeconds(source, reply) };
      } catch (error) {
        throw callError(name, error);
      }
    },

    /** Asks for what is kept to be kept anew. Throws as `tryCall`. */
    refresh: async (row: SourceRow, parameters: Given['parameters'], signal: AbortSignal) => {
      await callSource(
        await open(row),
        { parameters, spelling: 'json', signal: () => signal },
        true,
      );
    },
  };
}

/** Throws unauthenticated, insufficient_scope. */
function admit({ access }: SourceRow, actor: AnyActor): void {
  if (access === 'public') return;
  if (actor.id === null) throw new AppError('unauthenticated', 'Not authenticated');
  if (access === 'user' || !actor.scopes || actor.scopes.includes(SCOPE)) return;
  throw new AppError('insufficient_scope', `The token lacks the scope ${SCOPE}`);
}

/** Gives what calls a source that lets its caller in, and counts the call. */
function createCall({ outbound, stats }: SourceCallsDeps) {
  const outboundFor = createOutboundRequests();
  return async (
    source: Opened,
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

/** Gives what goes out, the same object for a request that is kept: so it is judged once. */
function createOutboundRequests() {
  const requestFor = createRequests();
  const made = new WeakMap<SourceRequest, OutboundRequest>();
  return (source: Opened, call: SourceCall, renew: boolean): OutboundRequest => {
    const request = requestFor(source, call);
    const known = renew ? undefined : made.get(request);
    if (known) return known;
    const kept = cachingOf(source, call);
    const whole = {
      ...request,
      ...limitsOf(source),
      cache: kept ? { ...kept, renew } : (false as const),
    };
    if (!renew) made.set(request, whole);
    return whole;
  };
}

function limitsOf(source: Opened) {
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

/** Kept for this version of the source, and apart for each set of headers that was sent on. */
function cachingOf(source: Opened, { headers }: SourceCall) {
  const { id, version, ttl_seconds, stale_seconds } = source;
  if (ttl_seconds === 0) return false;
  const forwarded = JSON.stringify(forwardedOf(source, headers));
  return {
    // A hash: what a client sends may be long, or a secret of its own.
    key: `source ${id} ${version} ${Bun.SHA256.hash(forwarded, 'base64')}`,
    ...(ttl_seconds !== null && { ttlMs: ttl_seconds * 1000 }),
    staleMs: stale_seconds * 1000,
  };
}

/** Only what is the same for anyone, for a time that is known. */
function freshSeconds(source: Opened, { cache, ageSeconds }: OutboundResponse): number {
  const { access, forward_headers, ttl_seconds } = source;
  const isAnyones = access === 'public' && forward_headers.length === 0;
  if (!isAnyones || ttl_seconds === null || cache === 'off') return 0;
  return Math.max(0, ttl_seconds - ageSeconds);
}
