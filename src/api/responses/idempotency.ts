import type { AnyActor } from '../../core/actor.ts';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import type { OnWritten, StoredResponse } from '../../services/idempotency.ts';
import { urlPath } from '../../utils/http/url.ts';
import { signedIn } from '../plugins/access-rules.ts';
import { setETag } from './etag.ts';

/** An answer of status `status`; its ETag is that of the body's version, where it has one. */
export interface Answer<T> {
  status: number;
  location?: string;
  body: T;
}

interface Context {
  actor: AnyActor;
  request: Request;
  body?: unknown;
  set: { headers: Record<string, string | number> };
}

interface OnceOptions {
  /** Whether the response shows a secret, which must not be stored as it is. */
  isSecret?: boolean;
}

/**
 * Gives what does a request once: `act` and the answer to its result or, when the request
 * brings an Idempotency-Key that was used before, the answer of then. Sets Location and ETag and
 * gives the body. Throws validation_failed for what is no key, idempotency_mismatch,
 * idempotency_running, secrets_unreadable and what `act` throws.
 */
export const createOnce =
  (idempotency: Deps['idempotency']) =>
  async <R, T extends object>(
    context: Context,
    answerOf: (result: R) => Answer<T>,
    act: (onWritten: OnWritten<R> | undefined) => Promise<R>,
    { isSecret }: OnceOptions = {},
  ): Promise<T> => {
    const { request, actor, set } = context;
    const key = keyOf(request);
    if (key === undefined) return tellAll(answerOf(await act(undefined)), set);
    const keyed = { actor: signedIn(actor), key, request_hash: hashOf(context), isSecret };
    let answer: Answer<T> | undefined;
    const kept = await idempotency.once(keyed, async (keep) => {
      await act(async (tx, result) => {
        answer = answerOf(result);
        const { status, location = null, body } = answer;
        await keep(tx, { status, location, body: JSON.stringify(body) });
      });
    });
    if (kept) tellReplayed(set);
    return tellAll(kept ? fromKept<T>(kept) : (answer as Answer<T>), set);
  };

/**
 * Identifies a request of somebody without an account, to whom a key cannot belong: the same key with
 * another body is another request. Undefined without a key. Throws validation_failed for what is none.
 */
export function anonymousHash(context: Pick<Context, 'request' | 'body'>): string | undefined {
  const key = keyOf(context.request);
  return key === undefined ? undefined : hashOf(context, key);
}

/** Says with a response that it is the one of an earlier request. */
export function tellReplayed(set: Context['set']): void {
  set.headers['idempotency-replayed'] = 'true';
}

function keyOf(request: Request): string | undefined {
  const key = request.headers.get('idempotency-key');
  if (key === null) return undefined;
  if (/^[!-~]{1,255}$/.test(key)) return key;
  const msg = 'Input should be 1 to 255 visible ASCII characters';
  const problems = [{ type: 'value_error', loc: ['header', 'idempotency-key'], msg }];
  throw new AppError('validation_failed', 'The request is not valid', { problems });
}

/** The body as it was understood: spaces in its JSON make no other request. */
function hashOf({ request, body }: Pick<Context, 'request' | 'body'>, ...more: string[]): string {
  const { method, url } = request;
  const text = JSON.stringify([method, urlPath(url).replace(/\/$/, ''), body ?? null, ...more]);
  return Bun.SHA256.hash(text, 'hex');
}

function fromKept<T>({ status, location, body }: StoredResponse): Answer<T> {
  return { status, ...(location !== null && { location }), body: JSON.parse(body) };
}

function tellAll<T extends object>({ location, body }: Answer<T>, set: Context['set']): T {
  if (location !== undefined) set.headers['location'] = location;
  if ('version' in body && typeof body.version === 'number') setETag(body.version, set);
  return body;
}
