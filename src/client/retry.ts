import type { AnyAnswer } from './answer.ts';
import type { RetryOptions } from './options.ts';

const COUNT = 2;
const MAX_WAIT_MS = 30_000;
/** The first wait is up to this long, each further one up to twice as long as the one before. */
const FIRST_WAIT_MS = 250;
const IDEMPOTENT = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'];
/** Statuses of a server, or of a proxy before it, that cannot answer just now. */
const UNAVAILABLE = [502, 503, 504];

/** The POST routes that honour an Idempotency-Key; a test compares them with the document. */
export const KEYED_ROUTES: readonly string[] = [
  '/api/v2/auth/identities',
  '/api/v2/auth/passkeys',
  '/api/v2/auth/register',
  '/api/v2/items',
  '/api/v2/items/batch',
  '/api/v2/items/{item_id}/restore',
  '/api/v2/items/{item_id}/revisions',
  '/api/v2/sources',
  '/api/v2/tokens',
  '/api/v2/users',
];

/** Whether a request may be sent again though the server may have done already what it asks. */
export function isIdempotent(method: string, path: string): boolean {
  return IDEMPOTENT.includes(method) || (method === 'POST' && isKeyed(path));
}

/** Whether POST to `path` honours an Idempotency-Key. */
function isKeyed(path: string): boolean {
  const parts = path.split('/');
  return KEYED_ROUTES.map((route) => route.split('/')).some(
    (route) =>
      route.length === parts.length &&
      route.every((part, index) => part.startsWith('{') || part === parts[index]),
  );
}

/** How often a call was repeated, and how often it may be. */
export interface Repeat {
  isIdempotent: boolean;
  repeats: number;
  retries: number | RetryOptions | undefined;
}

/** Milliseconds to wait before a failed call is repeated; undefined if it is not to be. */
export function waitBefore(answer: AnyAnswer, repeat: Repeat): number | undefined {
  const { retries = COUNT } = repeat;
  const { count = COUNT, maxWaitMs = MAX_WAIT_MS } =
    typeof retries === 'number' ? { count: retries } : retries;
  if (repeat.repeats >= count || !mayRepeat(answer, repeat)) return undefined;
  const backoffMs = Math.random() * FIRST_WAIT_MS * 2 ** repeat.repeats;
  const waitMs = retryAfterMs(answer.headers) ?? Math.min(backoffMs, maxWaitMs);
  return waitMs <= maxWaitMs ? waitMs : undefined;
}

function mayRepeat({ error }: AnyAnswer, { isIdempotent }: Repeat): boolean {
  if (error === null) return false;
  // Nothing was done.
  if (error.status === 429) return true;
  if (error.kind === 'network' || error.kind === 'broken') return isIdempotent;
  return UNAVAILABLE.includes(error.status) && isIdempotent;
}

/** What Retry-After asks for, in milliseconds; undefined without one that can be read. */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

/** Waits; at most until the signal is aborted. */
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
