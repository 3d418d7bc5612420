import { type AnyAnswer, failed } from './answer.ts';
import { errorOfFailure, type HutchError } from './errors.ts';
import type { CallOptions, SendOptions } from './options.ts';
import { type Call, type Encoded, encodeBody, encodeQuery } from './request.ts';
import { read } from './response.ts';
import { isIdempotent, retryDelayMs, sleep } from './retry.ts';

/** Sends a call, with retries, and resolves to its result. */
export type Send = (call: Call, options: CallOptions) => Promise<AnyAnswer>;

/** Options of a client whose calls are repeated after `onUnauthorized`. */
export interface Sending extends SendOptions {
  onUnauthorized?: (error: HutchError) => boolean | Promise<boolean>;
}

/** Returns the function that sends the calls of one client to the server at `url`. */
export function createSend(url: string, sending: Sending): Send {
  const base = url.replace(/\/+$/, '');
  const renew = createRenewal(sending);
  return async (call, options) => {
    const encoded = await encodeBody(call);
    const attempt = { base, call, encoded, options, sending };
    let { answer, token } = await sendOnce(attempt);
    if (encoded.isRepeatable && isUnauthorized(answer) && (await renew(answer.error, token))) {
      ({ answer, token } = await sendOnce(attempt));
    }
    const { throwHttpError = sending.throwHttpError ?? false } = options;
    const { error } = answer;
    if (error === null || throwHttpError === false) return answer;
    if (throwHttpError === true || throwHttpError(error)) throw error;
    return answer;
  };
}

interface Attempt {
  base: string;
  call: Call;
  encoded: Encoded;
  options: CallOptions;
  sending: Sending;
}

interface Sent {
  answer: AnyAnswer;
  token: string | undefined;
}

/** Sends a call, with retries. */
async function sendOnce(attempt: Attempt): Promise<Sent> {
  const { call, encoded, options, sending } = attempt;
  const retries = options.retries ?? sending.retries;
  const signal = signalOf(options);
  for (let attempts = 0; ; attempts++) {
    const token = await tokenOf(sending);
    const answer = await exchange(attempt, token);
    const state = { isIdempotent: isIdempotent(call.method, call.path), attempts, retries };
    const waitMs = encoded.isRepeatable ? retryDelayMs(answer, state) : undefined;
    if (waitMs === undefined) return { answer, token };
    await sleep(waitMs, signal);
  }
}

/** Sends one request and reads its response. */
async function exchange(attempt: Attempt, token: string | undefined): Promise<AnyAnswer> {
  const { base, call, sending } = attempt;
  const name = `${call.method} ${call.path}`;
  const signal = signalOf(attempt.options);
  let response: Response;
  try {
    signal?.throwIfAborted();
    const url = base + call.path + encodeQuery(call.query);
    const init = initOf(attempt, token);
    response = await (sending.fetch ? sending.fetch(new Request(url, init)) : fetch(url, init));
  } catch (cause) {
    return failed(errorOfFailure(name, cause, { signal, response: null }));
  }
  return read({ call: name, response, signal });
}

function initOf({ call, encoded, options, sending }: Attempt, token: string | undefined) {
  const headers = new Headers(sending.headers);
  if (token) headers.set('authorization', `Bearer ${token}`);
  if (encoded.type) headers.set('content-type', encoded.type);
  for (const [name, value] of call.headers) headers.set(name, value);
  const signal = signalOf(options);
  const init: RequestInit & { duplex?: 'half' } = {
    ...(sending.credentials && { credentials: sending.credentials }),
    ...options.fetch,
    method: call.method,
    headers,
    ...(signal && { signal }),
    ...(encoded.body !== undefined && { body: encoded.body }),
    ...(!encoded.isRepeatable && { duplex: 'half' as const }),
  };
  return init;
}

function signalOf({ signal, fetch: init }: CallOptions): AbortSignal | undefined {
  return signal ?? init?.signal ?? undefined;
}

async function tokenOf({ token }: SendOptions): Promise<string | undefined> {
  return typeof token === 'function' ? token() : token;
}

/** True if the token was refused; a wrong password has another code. */
function isUnauthorized(answer: AnyAnswer): answer is Extract<AnyAnswer, { data: null }> {
  const { error } = answer;
  return error?.status === 401 && (error.code ?? 'unauthenticated') === 'unauthenticated';
}

/**
 * Returns a function that decides whether a refused call is repeated. It calls `onUnauthorized` once
 * for all calls that are refused in the meantime. A call with an outdated token is repeated at once.
 */
function createRenewal(sending: Sending) {
  const { onUnauthorized } = sending;
  let renewing: Promise<boolean> | undefined;
  const renew = async (error: HutchError) => (await onUnauthorized?.(error)) ?? false;
  return async (error: HutchError | null, token: string | undefined): Promise<boolean> => {
    if (!onUnauthorized || error === null) return false;
    if (!renewing && (await tokenOf(sending)) !== token) return true;
    renewing ??= renew(error).finally(() => {
      renewing = undefined;
    });
    return renewing;
  };
}
