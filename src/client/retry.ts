import type { AnyAnswer } from './answer.ts';
import type { RetryOptions } from './options.ts';

const COUNT = 2;
const MAX_WAIT_MS = 30_000;
/** Upper bound of the first wait; it doubles with each retry. */
const FIRST_WAIT_MS = 250;
const IDEMPOTENT = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'];
/** Statuses of a server, or of its proxy, that is temporarily unavailable. */
const UNAVAILABLE = [502, 503, 504];

/**
 * The POST routes that honour an Idempotency-Key; `{resource}` is any resource, also one of users. A test
 * compares this list with the OpenAPI document.
 */
const KEYED_ROUTES: readonly string[] = [
  '/api/v2/auth/identities',
  '/api/v2/auth/passkeys',
  '/api/v2/auth/register',
  '/api/v2/{resource}',
  '/api/v2/{resource}/batch',
  '/api/v2/{resource}/import',
  '/api/v2/{resource}/{id}/restore',
  '/api/v2/{resource}/{id}/revisions',
  '/api/v2/webhooks/{id}/test',
  '/api/v2/webhooks/{id}/rotate-secret',
  '/api/v2/webhooks/{id}/deliveries/{id}/replay',
];

/** True if a request may be sent again although the server may already have processed it. */
export function isIdempotent(method: string, path: string): boolean {
  return IDEMPOTENT.includes(method) || (method === 'POST' && isKeyed(path));
}

/** True if POST to `path` honours an Idempotency-Key. */
export function isKeyed(path: string): boolean {
  const parts = path.split('/');
  return KEYED_ROUTES.map((route) => route.split('/')).some(
    (route) =>
      route.length === parts.length &&
      route.every((part, index) => part.startsWith('{') || part === parts[index]),
  );
}

/** The state of the retries of a call. */
export interface RetryState {
  isIdempotent: boolean;
  attempts: number;
  retries: number | RetryOptions | undefined;
}

/** Returns the milliseconds to wait before the next retry; undefined if the call is not retried. */
export function retryDelayMs(answer: AnyAnswer, state: RetryState): number | undefined {
  const { retries = COUNT } = state;
  const { count = COUNT, maxWaitMs = MAX_WAIT_MS } =
    typeof retries === 'number' ? { count: retries } : retries;
  if (state.attempts >= count || !isRetryable(answer, state)) return undefined;
  const backoffMs = Math.random() * FIRST_WAIT_MS * 2 ** state.attempts;
  const waitMs = retryAfterMs(answer.headers) ?? Math.min(backoffMs, maxWaitMs);
  return waitMs <= maxWaitMs ? waitMs : undefined;
}

function isRetryable({ error }: AnyAnswer, { isIdempotent }: RetryState): boolean {
  if (error === null) return false;
  // The server did not process it.
  if (error.status === 429) return true;
  if (error.kind === 'network' || error.kind === 'broken') return isIdempotent;
  // An earlier attempt, whose connection was lost, is still being processed.
  if (error.code === 'idempotency_running') return isIdempotent;
  return UNAVAILABLE.includes(error.status) && isIdempotent;
}

/** Returns Retry-After in milliseconds; undefined if it is missing or invalid. */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

/** Waits, at most until the signal is aborted. */
export function sleep(ms: number, signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}
