import type { HutchError } from './errors.ts';

/** A raw body: an import of items. A stream is sent in chunks and cannot be retried. */
export type Upload =
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | ArrayBuffer
  | Uint8Array
  | string;

/** Throws errors instead of returning them: all, none or those that a function selects. */
export type ThrowHttpError = boolean | ((error: HutchError) => boolean);

/** The number of retries and the longest wait before one. */
export interface RetryOptions {
  /** Maximum retries of a call; 0 for none. Default: 2. */
  count?: number;
  /** The longest wait before a retry. A longer Retry-After ends the retries. Default: 30,000. */
  maxWaitMs?: number;
}

/** Options for every request of a client. */
export interface SendOptions {
  /** A bearer token, or a function that returns one, called before each request. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** Headers of every request. */
  headers?: Record<string, string>;
  /** `include` sends the session cookie to a server of another origin. Default: fetch's own. */
  credentials?: RequestInit['credentials'];
  /**
   * Retries of calls that are safe to repeat: after a 429 and, if the call is idempotent or has an
   * Idempotency-Key that its route honours, after a 502, 503, 504 or a lost connection. A number is the
   * count.
   */
  retries?: number | RetryOptions;
  /** Throws errors instead of returning them. Default: false. */
  throwHttpError?: ThrowHttpError;
  /** Replaces the global fetch. */
  fetch?: (request: Request) => Promise<Response>;
}

/** Options of a call, in addition to its body and query. */
export interface CallOptions {
  headers?: Record<string, string | undefined>;
  signal?: AbortSignal | null;
  /** Overrides the option of the client. */
  retries?: number | RetryOptions;
  /** Overrides the option of the client. */
  throwHttpError?: ThrowHttpError;
  /** More options for fetch, such as `cache` or `keepalive`. */
  fetch?: Omit<RequestInit, 'method' | 'headers' | 'body'>;
}
