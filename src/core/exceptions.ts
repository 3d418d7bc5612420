/** The codes of errors. The set is closed: api/plugins/error-forms.ts maps each to its wire form. */
export type ErrorCode =
  | 'malformed_request'
  | 'malformed_body'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'email_taken'
  | 'username_taken'
  | 'bad_credentials'
  | 'inactive_user'
  | 'insufficient_scope'
  | 'csrf_refused'
  | 'misdirected_request'
  | 'email_unverified'
  | 'weak_password'
  | 'invalid_action_token'
  | 'second_factor_required'
  | 'second_factor_missing'
  | 'proof_required'
  | 'conflict'
  | 'version_mismatch'
  | 'idempotency_mismatch'
  | 'idempotency_running'
  | 'batch_failed'
  | 'quota_exceeded'
  | 'too_many_requests'
  | 'payload_too_large'
  | 'length_required'
  | 'unsupported_media_type'
  | 'validation_failed'
  | 'invalid_query'
  | 'invalid_cursor'
  | 'upstream_failed'
  | 'upstream_timeout'
  | 'circuit_open'
  | 'secrets_unreadable'
  | 'overloaded'
  | 'database_busy'
  | 'storage_full'
  | 'storage_failed'
  | 'internal';

/** One invalid value of a request. `type` is pydantic 2's name for the reason. */
export interface Problem {
  type: string;
  loc: (string | number)[];
  msg: string;
}

/** One refused field of a service's input; the API knows which part of the request contains it. */
export interface FieldProblem {
  type: string;
  path: (string | number)[];
  msg: string;
}

/** The name of a quota in settings and responses. */
export type QuotaName =
  | 'items'
  | 'bytes'
  | 'idempotency_keys'
  | 'idempotency_bytes'
  | 'tokens'
  | 'passkeys'
  | 'identities'
  | 'audit_entries';

/** The quota that a request would have exceeded, and its current use. */
export interface ExceededQuota {
  name: QuotaName;
  limit: number;
  used: number;
}

export interface AppErrorOptions {
  problems?: Problem[];
  fields?: FieldProblem[];
  /** The exceeded quota, for quota_exceeded. */
  quota?: ExceededQuota;
  /** Whole seconds after which a retry may succeed. */
  retryAfterSeconds?: number;
  /** The methods that the path supports, for method_not_allowed. */
  allow?: string[];
  cause?: unknown;
}

/** The one error that services throw. Its message may be shown to a client. Knows no HTTP. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly problems: Problem[];
  readonly fields: FieldProblem[];
  readonly retryAfterSeconds: number | undefined;
  readonly allow: string[];
  readonly quota: ExceededQuota | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.problems = options.problems ?? [];
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.allow = options.allow ?? [];
    this.quota = options.quota;
  }
}

/** An error that ends a command; its message is all that the operator needs. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
