import type { Treaty } from '@elysia/eden';
import { treaty } from '@elysia/eden';
import type { App } from './app.ts';

/** Routes that take a form: OAuth2 and Apple have it so. Everywhere else a body is JSON. */
const FORM_PATHS = ['/api/v1/login/access-token', '/api/v2/auth/identities/return'];

export interface ClientOptions {
  /** A bearer token, or what gives one at each request. */
  token?: string | (() => string | undefined);
  /** Headers of every request. */
  headers?: Record<string, string>;
  /** Replaces the global fetch. */
  fetch?: (request: Request) => Promise<Response>;
}

/**
 * A Hutch server, typed: routes, bodies, answers and the errors of each status. A call rejects
 * for nothing that the server says; when there is no answer at all, `error.status` is 503,
 * `error.value` the cause and `response` undefined.
 */
export type Client = Treaty.Create<App>;

/**
 * Connects to the server at `url`, as `http://127.0.0.1:3000`. Sends nothing by itself. A POST to v2
 * carries a fresh Idempotency-Key, so that a `fetch` which sends the request again after a lost
 * response makes nothing twice. To repeat the call itself, give it a key of your own in `headers`.
 */
export function createClient(url: string, options: ClientOptions = {}): Client {
  const { token, headers, fetch: send } = options;
  return treaty<App>(url, {
    // Times stay the strings that the types say.
    parseDate: false,
    headers: () => {
      const value = typeof token === 'function' ? token() : token;
      return { ...headers, ...(value && { authorization: `Bearer ${value}` }) };
    },
    onRequest: [(path, init) => (FORM_PATHS.includes(path) ? asForm(init) : undefined), withKey],
    ...(send && {
      fetcher: ((input: string, init: RequestInit) =>
        send(new Request(input, init))) as typeof fetch,
    }),
  });
}

/** Eden asks twice: the second time the key is there. */
function withKey(path: string, { method, headers }: RequestInit): RequestInit | undefined {
  if (method !== 'POST' || !path.startsWith('/api/v2/')) return undefined;
  if (new Headers(headers).has('idempotency-key')) return undefined;
  return { headers: { 'idempotency-key': crypto.randomUUID() } };
}

/** Eden asks twice: before the body is text there is nothing to do yet. */
function asForm({ body }: RequestInit): RequestInit | undefined {
  if (typeof body !== 'string') return undefined;
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { body: new URLSearchParams(JSON.parse(body)).toString(), headers };
}
