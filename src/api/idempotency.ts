import type { Deps } from '../core/deps.ts';
import { AppError } from '../core/exceptions.ts';
import type { KeptAnswer, OnWritten } from '../services/idempotency.ts';
import { urlPath } from '../utils/url.ts';
import { callerOf } from './access.ts';
import { tell } from './etag.ts';

/** An answer of status `status`; its ETag is that of the body's version, where it has one. */
export interface Answer<T> {
  status: number;
  location?: string;
  body: T;
}

interface Context {
  request: Request;
  body?: unknown;
  set: { headers: Record<string, string | number> };
}

/**
 * Gives what does a request once: `act` and the answer to its result or, when the request
 * brings an Idempotency-Key that was used before, the answer of then. Sets Location and ETag and
 * gives the body. Throws validation_failed for what is no key, idempotency_mismatch,
 * idempotency_running and what `act` throws.
 */
export const createOnce =
  (idempotency: Deps['idempotency']) =>
  async <R, T extends object>(
    context: Context,
    answerOf: (result: R) => Answer<T>,
    act: (onWritten: OnWritten<R> | undefined) => Promise<R>,
  ): Promise<T> => {
    const { request, set } = context;
    const key = request.headers.get('idempotency-key');
    if (key === null) return tellAll(answerOf(await act(undefined)), set);
    refuseBadKey(key);
    const keyed = { caller: callerOf(request), key, request_hash: hashOf(context) };
    let answer: Answer<T> | undefined;
    const kept = await idempotency.once(keyed, async (keep) => {
      await act(async (tx, result) => {
        answer = answerOf(result);
        const { status, location = null, body } = answer;
        await keep(tx, { status, location, body: JSON.stringify(body) });
      });
    });
    if (kept) set.headers['idempotency-replayed'] = 'true';
    return tellAll(kept ? fromKept<T>(kept) : (answer as Answer<T>), set);
  };

function refuseBadKey(key: string): void {
  if (/^[!-~]{1,255}$/.test(key)) return;
  const msg = 'Input should be 1 to 255 visible ASCII characters';
  const problems = [{ type: 'value_error', loc: ['header', 'idempotency-key'], msg }];
  throw new AppError('validation_failed', 'The request is not valid', { problems });
}

/** The body as it was understood: spaces in its JSON make no other request. */
function hashOf({ request, body }: Context): string {
  const { method, url } = request;
  const text = JSON.stringify([method, urlPath(url).replace(/\/$/, ''), body ?? null]);
  return Bun.SHA256.hash(text, 'hex');
}

function fromKept<T>({ status, location, body }: KeptAnswer): Answer<T> {
  return { status, ...(location !== null && { location }), body: JSON.parse(body) };
}

function tellAll<T extends object>({ location, body }: Answer<T>, set: Context['set']): T {
  if (location !== undefined) set.headers['location'] = location;
  if ('version' in body && typeof body.version === 'number') tell(body.version, set);
  return body;
}
