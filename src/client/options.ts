import type { HutchError } from './errors.ts';

/** A body that is sent as it is: an import of items. A stream is sent in chunks, and only once. */
export type Upload =
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | ArrayBuffer
  | Uint8Array
  | string;

/** Whether to throw an error instead of returning it. */
export type ThrowHttpError = boolean | ((error: HutchError) => boolean);

/** How often and how long a client waits to repeat a call. */
export interface RetryOptions {
  /** Repeats of one call at most; 0 for none. Default: 2. */
  count?: number;
  /** The longest wait before a repeat; a longer Retry-After is not waited for. Default: 30,000. */
  maxWaitMs?: number;
}

/** What a client does with each of its requests. */
export interface SendOptions {
  /** A bearer token, or a function that returns one, called before each request. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** Headers of every request. */
  headers?: Record<string, string>;
  /** `include` sends the session cookie to a server of another origin. Default: fetch's own. */
  credentials?: RequestInit['credentials'];
  /**
   * Repeats of calls that are safe to repeat: after a 429, and, if the call is idempotent or has an
   * Idempotency-Key that its route honours, after a 502, 503, 504 or a lost connection. A number
   * is the count.
   */
  retries?: number | RetryOptions;
  /** Throws errors instead of returning them. Default: false. */
  throwHttpError?: ThrowHttpError;
  /** Replaces the global fetch. */
  fetch?: (request: Request) => Promise<Response>;
}

/** What a call takes beside its body and its query. */
export interface CallOptions {
  headers?: Record<string, string | undefined>;
  signal?: AbortSignal | null;
  /** In place of the client's. */
  retries?: number | RetryOptions;
  /** In place of the client's. */
  throwHttpError?: ThrowHttpError;
  /** More for fetch, such as `cache` or `keepalive`. */
  fetch?: Omit<RequestInit, 'method' | 'headers' | 'body'>;
}
