import type { Actor } from '../../core/actor.ts';
import type { Outbound, OutboundResponse } from '../../core/outbound/client.ts';
import { OutboundError } from '../../core/outbound/errors.ts';
import { callerName, type SourceCalls } from './calls.ts';
import { type CallFailure, callFailure } from './errors.ts';

/** One of several calls: of a source by its name, or of a URL. */
export type FetchCall =
  | { source: string; params?: Record<string, unknown> | undefined }
  | { url: string };

/** The result of one of several calls. */
export interface FetchResult {
  /** Status of the response; null if there was none. */
  status: number | null;
  data?: unknown;
  error?: CallFailure;
  /** Null if the call was not sent or failed. */
  cache: OutboundResponse['cache'] | null;
  elapsed_ms: number;
  attempts: number;
}

export interface SourceFetchDeps {
  calls: Pick<SourceCalls, 'tryCall'>;
  outbound: Pick<Outbound, 'call'>;
}

interface Client {
  headers: Headers;
  signal: AbortSignal;
}

/** Calls several sources or URLs at once. */
export const createSourceFetch = (deps: SourceFetchDeps) => ({
  /**
   * Sends the calls concurrently, within the limits of the gateway, and returns their results in
   * the same order. Equal calls are sent once. A call that fails does not affect the others.
   */
  fetchAll: (actor: Actor, calls: readonly FetchCall[], client: Client): Promise<FetchResult[]> => {
    const started = new Map<string, Promise<FetchResult>>();
    const results = calls.map((call) => {
      const key = keyOf(call);
      const result = started.get(key) ?? fetchOne(deps, actor, call, client);
      started.set(key, result);
      return result;
    });
    return Promise.all(results);
  },
});

function keyOf(call: FetchCall): string {
  if ('url' in call) return JSON.stringify([call.url]);
  const params = Object.entries(call.params ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([call.source, params]);
}

async function fetchOne(
  { calls, outbound }: SourceFetchDeps,
  actor: Actor,
  call: FetchCall,
  { headers, signal }: Client,
): Promise<FetchResult> {
  try {
    if ('url' in call) {
      const owner = callerName(actor);
      return resultOf(await outbound.call({ url: call.url, owner, signal }));
    }
    const { source, params: parameters = {} } = call;
    const input = { parameters, format: 'json', headers, signal: () => signal } as const;
    return resultOf((await calls.tryCall(actor, source, input)).reply);
  } catch (error) {
    return failureOf('source' in call ? call.source : undefined, error);
  }
}

function resultOf({ status, data, cache, elapsedMs, attempts }: OutboundResponse): FetchResult {
  return { status, data, cache, elapsed_ms: Math.round(elapsedMs), attempts };
}

function failureOf(name: string | undefined, error: unknown): FetchResult {
  const { status, elapsedMs, attempts } =
    error instanceof OutboundError ? error : { status: undefined, elapsedMs: 0, attempts: 0 };
  return {
    status: status ?? null,
    error: callFailure(name, error),
    cache: null,
    elapsed_ms: Math.round(elapsedMs),
    attempts,
  };
}
