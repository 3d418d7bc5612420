import type { AnyActor } from '../../core/actor.ts';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import type { OnWritten, StoredResponse } from '../../services/idempotency.ts';
import { urlPath } from '../../utils/http/url.ts';
import { signedIn } from '../plugins/access-rules.ts';
import { setETag } from './etag.ts';
import type { ResponseSet } from './response-set.ts';

/** A response. If its body has a version, the ETag names it. */
export interface KeyedResponse<T> {
  status: number;
  location?: string;
  body: T;
}

interface Context {
  actor: AnyActor;
  request: Request;
  body?: unknown;
  set: ResponseSet;
}

interface OnceOptions {
  /** True if the response shows a secret, which must be encrypted when stored. */
  isSecret?: boolean;
}

/**
 * Returns a function that runs a request once: it returns the body for the result of `act` or, if the
 * request repeats an Idempotency-Key, the body of the stored response. It sets Location and ETag.
 * Throws validation_failed for an invalid key, idempotency_mismatch, idempotency_running,
 * secrets_unreadable and the errors of `act`.
 */
export const createOnce =
  (idempotency: Deps['idempotency']) =>
  async <R, T extends object>(
    context: Context,
    toResponse: (result: R) => KeyedResponse<T>,
    act: (onWritten: OnWritten<R> | undefined) => Promise<R>,
    { isSecret }: OnceOptions = {},
  ): Promise<T> => {
    const { request, actor, set } = context;
    const key = keyOf(request);
    if (key === undefined) return send(toResponse(await act(undefined)), set);
    const keyed = { actor: signedIn(actor), key, request_hash: hashOf(context), isSecret };
    let response: KeyedResponse<T> | undefined;
    const stored = await idempotency.once(keyed, async (store) => {
      await act(async (tx, result) => {
        response = toResponse(result);
        const { status, location = null, body } = response;
        await store(tx, { status, location, body: JSON.stringify(body) });
      });
    });
    if (stored) setReplayed(set);
    return send(stored ? parse<T>(stored) : (response as KeyedResponse<T>), set);
  };

/**
 * Returns a hash that identifies a request without an account. A key then has no owner, so the same
 * key with another body is another request. Returns undefined without a key. Throws validation_failed
 * for an invalid key.
 */
export function anonymousHash(context: Pick<Context, 'request' | 'body'>): string | undefined {
  const key = keyOf(context.request);
  return key === undefined ? undefined : hashOf(context, key);
}

/** Marks a response as that of an earlier request. */
export function setReplayed(set: ResponseSet): void {
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

/** Hashes the parsed body, so that spaces in its JSON do not matter. */
function hashOf({ request, body }: Pick<Context, 'request' | 'body'>, ...more: string[]): string {
  const { method, url } = request;
  const text = JSON.stringify([method, urlPath(url).replace(/\/$/, ''), body ?? null, ...more]);
  return Bun.SHA256.hash(text, 'hex');
}

function parse<T>({ status, location, body }: StoredResponse): KeyedResponse<T> {
  return { status, ...(location !== null && { location }), body: JSON.parse(body) };
}

function send<T extends object>({ location, body }: KeyedResponse<T>, set: ResponseSet): T {
  if (location !== undefined) set.headers['location'] = location;
  if ('version' in body && typeof body.version === 'number') setETag(body.version, set);
  return body;
}
