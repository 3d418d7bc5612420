import type { AnyActor } from '../../core/actor.ts';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import type { KeyedRequest, OnWritten, StoredResponse } from '../../services/idempotency.ts';
import { urlPath } from '../../utils/http/url.ts';
import { signedIn } from '../plugins/access-rules.ts';
import { setETag } from './etag.ts';
import { respondJson } from './json.ts';
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

/** A response whose body is JSON; the ETag names its version. */
export interface KeyedText {
  status: number;
  location?: string;
  version?: number;
  text: string;
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
    options: OnceOptions = {},
  ): Promise<T> => {
    const { set } = context;
    const toStored = ({ status, location, body }: KeyedResponse<T>) => ({
      status,
      location: location ?? null,
      body: JSON.stringify(body),
    });
    const { own, stored } = await runOnce(idempotency, context, toResponse, toStored, act, options);
    if (stored) setReplayed(set);
    return send(own ?? parse<T>(stored as StoredResponse), set);
  };

/** Does the same for responses that are JSON already, which it sends without another copy. */
export const createTextOnce =
  (idempotency: Deps['idempotency']) =>
  async <R>(
    context: Context,
    toResponse: (result: R) => KeyedText,
    act: (onWritten: OnWritten<R> | undefined) => Promise<R>,
  ): Promise<unknown> => {
    const { set } = context;
    const toStored = ({ status, location, text }: KeyedText) => ({
      status,
      location: location ?? null,
      body: text,
    });
    const { own, stored } = await runOnce(idempotency, context, toResponse, toStored, act, {});
    if (stored) setReplayed(set);
    const { status, location, version, text } = own ?? textOf(stored as StoredResponse);
    if (location !== undefined) set.headers['location'] = location;
    if (version !== undefined) setETag(version, set);
    return respondJson(text, set, {}, status);
  };

/** Returns the response of `act` or, for a repeat, the stored one. */
async function runOnce<R, T>(
  idempotency: Deps['idempotency'],
  context: Context,
  toResponse: (result: R) => T,
  toStored: (response: T) => StoredResponse,
  act: (onWritten: OnWritten<R> | undefined) => Promise<R>,
  { isSecret }: OnceOptions,
): Promise<{ own?: T | undefined; stored?: StoredResponse | undefined }> {
  const key = keyOf(context.request);
  if (key === undefined) return { own: toResponse(await act(undefined)) };
  const keyed = { actor: signedIn(context.actor), key, request_hash: hashOf(context), isSecret };
  let own: T | undefined;
  const stored = await idempotency.once(keyed, async (store) => {
    await act(async (tx, result) => {
      const response = toResponse(result);
      own = response;
      await store(tx, toStored(response));
    });
  });
  return stored ? { stored } : { own };
}

function textOf({ status, location, body }: StoredResponse): KeyedText {
  const { version } = JSON.parse(body) as { version?: number };
  return {
    status,
    ...(location !== null && { location }),
    ...(version !== undefined && { version }),
    text: body,
  };
}

/**
 * Returns the key of a request whose body is read as a stream, and a hash of what identifies it besides
 * the body; undefined without a key. Throws validation_failed for an invalid key.
 */
export function streamKeyOf(
  { actor, request }: Pick<Context, 'actor' | 'request'>,
  ...more: string[]
): KeyedRequest | undefined {
  const key = keyOf(request);
  if (key === undefined) return undefined;
  return { actor: signedIn(actor), key, request_hash: hashOf({ request }, ...more) };
}

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
