import type { HutchError } from './client/errors.ts';
import type { CallOptions, SendOptions } from './client/options.ts';
import { encodeSegment } from './client/request.ts';
import { createSend, type Send } from './client/send.ts';
import type { Client } from './client/tree.ts';

export type { Answer } from './client/answer.ts';
export { orThrow } from './client/answer.ts';
export { type ErrorKind, HutchError } from './client/errors.ts';
export type { ItemDocument, ItemNew, ItemPatch } from './client/items.ts';
export type {
  CallOptions,
  RetryOptions,
  SendOptions,
  ThrowHttpError,
  Upload,
} from './client/options.ts';
export { pages } from './client/pages.ts';
export type { Sparse, SparseData, SparseGet } from './client/sparse.ts';
export { type SubscribeOptions, subscribe } from './client/subscribe.ts';
export type { Client } from './client/tree.ts';

export interface ClientOptions<C = Client> extends SendOptions {
  /**
   * Called when a request is refused because its token is missing, expired or revoked; once for all
   * requests that are refused in the meantime. Return true to repeat them once with the new result of
   * `token`. Use `client` for requests inside: it does not call this function again.
   */
  onUnauthorized?: (error: HutchError, client: C) => boolean | Promise<boolean>;
}

const METHODS = new Set(['get', 'head', 'post', 'put', 'patch', 'delete']);
const ALIASES: Record<string, string> = { v1: '/api/v1', v2: '/api/v2' };

/**
 * Creates a client for the server at `url`, such as `http://127.0.0.1:3000`; sends no request. Each POST
 * to v2 has a new Idempotency-Key, which its retries share. To retry a call yourself, pass your own key
 * in `headers`. `hutch types` prints the type of a server with resources of its own: `createClient<Client>(url)`.
 */
export function createClient<C = Client>(url: string, options: ClientOptions<NoInfer<C>> = {}): C {
  const { onUnauthorized, ...sending } = options;
  const withoutRenewal = () => rootOf<C>(createSend(url, sending));
  if (!onUnauthorized) return withoutRenewal();
  const renewed = {
    onUnauthorized: (error: HutchError) => onUnauthorized(error, withoutRenewal()),
  };
  return rootOf<C>(createSend(url, { ...sending, ...renewed }));
}

function rootOf<C>(send: Send): C {
  return nodeOf('', '', send) as C;
}

/** A part of a path: its properties extend the path; calling it sends a request or adds a parameter. */
function nodeOf(parent: string, name: string, send: Send): unknown {
  const path = name === '' ? parent : `${parent}/${name}`;
  return new Proxy(() => {}, {
    get: (_, next) => {
      // Not a thenable, so that async functions can return it.
      if (typeof next === 'symbol' || next === 'then') return undefined;
      return path === '' && ALIASES[next] !== undefined
        ? nodeOf(ALIASES[next], '', send)
        : nodeOf(path, next, send);
    },
    apply: (_, __, args: [unknown, unknown]) =>
      METHODS.has(name) ? call(parent, name, args, send) : nodeOf(path, parameterOf(args), send),
  });
}

function parameterOf([parameter]: [unknown, unknown]): string {
  const [[name, value] = ['', '']] = Object.entries(parameter as object);
  return encodeSegment(name, value);
}

function call(path: string, name: string, args: [unknown, unknown], send: Send) {
  const isRead = name === 'get' || name === 'head';
  const [body, settings] = isRead ? [undefined, args[0]] : args;
  const { query, headers: sent, ...options } = (settings ?? {}) as CallOptions & { query?: object };
  const method = name.toUpperCase();
  const headers = new Headers();
  for (const [header, value] of Object.entries(sent ?? {})) if (value) headers.set(header, value);
  if (method === 'POST' && path.startsWith('/api/v2/') && !headers.has('idempotency-key')) {
    headers.set('idempotency-key', crypto.randomUUID());
  }
  return send({ method, path, body, query, headers }, options);
}
