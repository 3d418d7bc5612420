/**
 * The reason why a call failed. `response`: the server sent an error status. `network`: no response
 * arrived. `aborted` and `timeout`: the signal of the call aborted it. `broken`: the body of a success
 * ended early or does not match its media type.
 */
export type ErrorKind = 'response' | 'network' | 'aborted' | 'timeout' | 'broken';

/** The code of an RFC 9457 problem; undefined for values that have none. */
export type CodeOf<Value> = Value extends { code: infer Code } ? Code : undefined;

/** The fields that every RFC 9457 problem of a Hutch server has. */
export interface ProblemLike {
  title: string;
  status: number;
  detail: string;
  code: string;
  request_id: string;
}

/** A failed call: an error status of the server, or status 0 when there was no usable response. */
export class HutchError<
  Status extends number = number,
  Value = unknown,
  Code = string | undefined,
> extends Error {
  override readonly name: string = 'HutchError';
  readonly kind: ErrorKind;
  /** The HTTP status; 0 when there was no usable response. */
  readonly status: Status;
  /** The body of the response, or the cause when there was no usable response. */
  readonly value: Value;
  /** The code of the problem, such as `not_found`; undefined if `value` is not a problem. */
  readonly code: Code;
  /** Null when no response arrived. */
  readonly response: Response | null;

  constructor(details: {
    kind: ErrorKind;
    status: Status;
    value: Value;
    message: string;
    response: Response | null;
  }) {
    super(details.message, details.value instanceof Error ? { cause: details.value } : undefined);
    this.kind = details.kind;
    this.status = details.status;
    this.value = details.value;
    this.response = details.response;
    this.code = this.problem?.code as Code;
  }

  /** The value, if it is an RFC 9457 problem. */
  get problem(): ProblemLike | undefined {
    return isProblem(this.value) ? this.value : undefined;
  }
}

/** Creates the error of a response with an error status. */
export function errorOfResponse(call: string, response: Response, value: unknown): HutchError {
  const { status } = response;
  const message = `${call}: ${status} ${textOf(value) || response.statusText}`.trimEnd();
  return new HutchError({ kind: 'response', status, value, message, response });
}

/** The error of a call without a usable response; `value` is its cause. */
export type NoAnswer = HutchError<0, Error, undefined>;

/** Creates the error of a call without a usable response. */
export function errorOfFailure(
  call: string,
  cause: unknown,
  { signal, response }: { signal: AbortSignal | undefined; response: Response | null },
): NoAnswer {
  const value = cause instanceof Error ? cause : new Error(String(cause));
  const kind = kindOf(value, signal, response);
  const message = `${call}: ${WORDS[kind]} (${value.message})`;
  return new HutchError<0, Error, undefined>({ kind, status: 0, value, message, response });
}

const WORDS: Record<Exclude<ErrorKind, 'response'>, string> = {
  network: 'no response from the server',
  aborted: 'aborted',
  timeout: 'timed out',
  broken: 'the response is damaged',
};

function kindOf(
  cause: Error,
  signal: AbortSignal | undefined,
  response: Response | null,
): Exclude<ErrorKind, 'response'> {
  const reason: unknown = signal?.aborted ? signal.reason : cause;
  const name = reason instanceof Error ? reason.name : '';
  if (name === 'TimeoutError') return 'timeout';
  if (signal?.aborted || name === 'AbortError') return 'aborted';
  return response ? 'broken' : 'network';
}

function isProblem(value: unknown): value is ProblemLike {
  return isObject(value) && typeof value['code'] === 'string' && typeof value['title'] === 'string';
}

/** Returns a readable sentence: the detail of a problem and its first errors. */
function textOf(value: unknown): string {
  if (typeof value === 'string')
    return value
      .replace(/<[^>]*>|\s+/g, ' ')
      .trim()
      .slice(0, 200);
  if (!isObject(value)) return '';
  const { detail, title, code, errors } = value;
  const list = Array.isArray(detail) ? detail : Array.isArray(errors) ? errors : [];
  const shown = list.filter(isObject).slice(0, 3).map(fieldText).join('; ');
  const text = typeof detail === 'string' ? detail : typeof title === 'string' ? title : '';
  const coded = typeof code === 'string' ? `${text} (${code})` : text;
  return coded && shown ? `${coded}: ${shown}` : coded || shown;
}

function fieldText({ path, loc, message, msg }: Record<string, unknown>): string {
  return `${Array.isArray(loc) ? loc.join('.') : path}: ${message ?? msg}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
