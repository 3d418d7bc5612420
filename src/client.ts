import type { Treaty } from '@elysia/eden';
import { treaty } from '@elysia/eden';
import type { App } from './app.ts';

export interface ClientOptions {
  /** A bearer token, or what gives one at each request. */
  token?: string | (() => string | undefined);
  /** Headers of every request. */
  headers?: Record<string, string>;
  /** Replaces the global fetch. */
  fetch?: (request: Request) => Promise<Response>;
}

/** A Hutch server, typed: routes, bodies, answers and the errors of each status. */
export type Client = Treaty.Create<App>;

/** Connects to the server at `url`, as `http://127.0.0.1:3000`. Sends nothing by itself. */
export function createClient(url: string, options: ClientOptions = {}): Client {
  const { token, headers, fetch: send } = options;
  return treaty<App>(url, {
    // Times stay the strings that the types say.
    parseDate: false,
    headers: () => {
      const value = typeof token === 'function' ? token() : token;
      return { ...headers, ...(value && { authorization: `Bearer ${value}` }) };
    },
    ...(send && {
      fetcher: ((input: string, init: RequestInit) =>
        send(new Request(input, init))) as typeof fetch,
    }),
  });
}
