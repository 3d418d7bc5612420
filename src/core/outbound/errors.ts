/** Every way in which a call to an outside address can fail. */
export type OutboundErrorCode =
  | 'url_refused'
  | 'request_refused'
  | 'address_refused'
  | 'dns_failed'
  | 'connect_failed'
  | 'tls_failed'
  | 'timeout'
  | 'too_many_redirects'
  | 'bad_redirect'
  | 'too_large'
  | 'bad_status'
  | 'not_json'
  | 'bad_media_type'
  | 'bad_encoding'
  | 'overloaded'
  | 'circuit_open'
  | 'aborted';

export interface OutboundErrorDetails {
  /** The status of the answer, for bad_status. */
  readonly status?: number | undefined;
  /** Whether the same request may succeed when it is sent again. */
  readonly retryable?: boolean;
  /** Whether the other side has heard nothing of the request. */
  readonly isUnsent?: boolean;
  /** How long the other side asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** 1 and the retries; 0 when nothing was sent. */
  readonly attempts?: number;
  readonly elapsedMs?: number;
  /** For logs only: it may name a resolved address. */
  readonly cause?: unknown;
}

/**
 * A failed outside call. The message may be shown to a client: it names the host that was
 * asked for and never a query, a password or an address that a name resolved to.
 */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly code: OutboundErrorCode;
  readonly status: number | undefined;
  readonly retryable: boolean;
  readonly isUnsent: boolean;
  readonly retryAfterMs: number | undefined;
  readonly attempts: number;
  readonly elapsedMs: number;

  constructor(code: OutboundErrorCode, message: string, details: OutboundErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.retryable = details.retryable ?? false;
    this.isUnsent = details.isUnsent ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.attempts = details.attempts ?? 0;
    this.elapsedMs = details.elapsedMs ?? 0;
  }

  /** The same failure, told with what it took; a failure may be shared, so it is not changed. */
  after(took: Pick<OutboundErrorDetails, 'attempts' | 'elapsedMs'>): OutboundError {
    return new OutboundError(this.code, this.message, { ...this, cause: this.cause, ...took });
  }
}

// Codes that Bun 1.4.5 puts on the errors of fetch, found by trying.
const TLS_CODE =
  /^(EPROTO|ERR_(TLS|SSL)|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_|INVALID_(CA|PURPOSE)|PATH_LENGTH)/;
const SOCKET_CODE = /^E[A-Z]+$/;
const UNSENT_CODE = /^E(CONNREFUSED|HOSTUNREACH|NETUNREACH)$/;
const BROKEN_REPLY_CODE = /^(Malformed|Invalid|Unrequested)/;

/** Gives an error of fetch, or of reading its body, its place in the closed set. */
export function toOutboundError(error: unknown, host: string): OutboundError {
  if (error instanceof OutboundError) return error;
  const code = codeOf(error);
  const cause = error;
  if (code === 'ResponseHeadersTooLarge') {
    return new OutboundError('too_large', `${host} sent headers that are too large`, { cause });
  }
  if (TLS_CODE.test(code)) {
    return new OutboundError('tls_failed', `${host} has no valid TLS certificate`, { cause });
  }
  if (BROKEN_REPLY_CODE.test(code)) {
    return new OutboundError('connect_failed', `${host} sent a broken HTTP reply`, { cause });
  }
  const retryable = SOCKET_CODE.test(code);
  return new OutboundError('connect_failed', `The connection to ${host} failed`, {
    retryable,
    isUnsent: UNSENT_CODE.test(code),
    cause,
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** What a request says of the health of its host. */
export type HostOutcome = 'success' | 'failure' | 'neither';

type Codes = ReadonlySet<OutboundErrorCode>;

const SILENCE: Codes = new Set(['connect_failed', 'dns_failed', 'timeout', 'tls_failed']);
const BAD_ANSWER: Codes = new Set([
  'bad_encoding',
  'bad_media_type',
  'bad_redirect',
  'not_json',
  'too_large',
]);
const NO_WORD: Codes = new Set(['aborted', 'circuit_open', 'overloaded', 'too_many_redirects']);

/**
 * A host fails by silence (network, name, TLS, time) or by 5xx. A 4xx and a body that is not
 * taken are answers. What was refused or aborted here says nothing of it.
 */
export function outcomeOf(error: unknown): HostOutcome {
  if (!(error instanceof OutboundError)) return 'neither';
  const { code, status = 0 } = error;
  if (SILENCE.has(code) || (code === 'bad_status' && status >= 500)) return 'failure';
  return BAD_ANSWER.has(code) || code === 'bad_status' ? 'success' : 'neither';
}

/** Whether a failure leaves a kept answer as true as it was; a 404 and a refusal do not. */
export function isPassing(error: unknown): error is OutboundError {
  if (!(error instanceof OutboundError)) return false;
  const { code, status = 0 } = error;
  if (code === 'bad_status') return status >= 500 || status === 429;
  return SILENCE.has(code) || BAD_ANSWER.has(code) || NO_WORD.has(code);
}
