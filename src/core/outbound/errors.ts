/** The ways in which an external call can fail. */
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
  /** The status of the response, for bad_status. */
  readonly status?: number | undefined;
  /** True if the same request may succeed when it is repeated. */
  readonly retryable?: boolean;
  /** True if no byte of the request reached the host. */
  readonly isUnsent?: boolean;
  /** The delay that the host or the circuit breaker requests. */
  readonly retryAfterMs?: number | undefined;
  /** 1 plus the retries; 0 if nothing was sent. */
  readonly attempts?: number;
  readonly elapsedMs?: number;
  /** Goes to logs only: it may contain a resolved address. */
  readonly cause?: unknown;
}

/**
 * A failed external call. The message may be shown to clients: it contains the requested host, but
 * never a query, a password or a resolved address.
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

  /** Returns a copy with these details; several callers may share the original. */
  with(details: Pick<OutboundErrorDetails, 'attempts' | 'elapsedMs'>): OutboundError {
    return new OutboundError(this.code, this.message, { ...this, cause: this.cause, ...details });
  }
}

// Error codes of fetch in Bun 1.4.5, found by experiment.
const TLS_CODE =
  /^(EPROTO|ERR_(TLS|SSL)|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_|INVALID_(CA|PURPOSE)|PATH_LENGTH)/;
const SOCKET_CODE = /^E[A-Z]+$/;
const UNSENT_CODE = /^E(CONNREFUSED|HOSTUNREACH|NETUNREACH)$/;
const BROKEN_RESPONSE_CODE = /^(Malformed|Invalid|Unrequested)/;

/** Converts an error of fetch, or of reading its body, to an OutboundError. */
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
  if (BROKEN_RESPONSE_CODE.test(code)) {
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

/** The effect of a request on the circuit of its host. */
export type HostOutcome = 'success' | 'failure' | 'neither';

type Codes = ReadonlySet<OutboundErrorCode>;

const UNREACHABLE: Codes = new Set(['connect_failed', 'dns_failed', 'timeout', 'tls_failed']);
const BAD_RESPONSE: Codes = new Set([
  'bad_encoding',
  'bad_media_type',
  'bad_redirect',
  'not_json',
  'too_large',
]);
const INCONCLUSIVE: Codes = new Set([
  'aborted',
  'circuit_open',
  'overloaded',
  'too_many_redirects',
]);

/**
 * Classifies an error for the circuit breaker. Network, DNS, TLS and time errors and 5xx are failures
 * of the host. A 4xx or an unacceptable body proves that it is up. A call that was refused or aborted
 * here proves neither.
 */
export function outcomeOf(error: unknown): HostOutcome {
  if (!(error instanceof OutboundError)) return 'neither';
  const { code, status = 0 } = error;
  if (UNREACHABLE.has(code) || (code === 'bad_status' && status >= 500)) return 'failure';
  return BAD_RESPONSE.has(code) || code === 'bad_status' ? 'success' : 'neither';
}

/** Returns true if a cached response stays valid after this failure; it does not after a 404 or a refusal. */
export function isTransient(error: unknown): error is OutboundError {
  if (!(error instanceof OutboundError)) return false;
  const { code, status = 0 } = error;
  if (code === 'bad_status') return status >= 500 || status === 429;
  return UNREACHABLE.has(code) || BAD_RESPONSE.has(code) || INCONCLUSIVE.has(code);
}
