import type { AppError, ErrorCode, Problem } from '../../core/exceptions.ts';
import { PATCH_TYPES } from '../request/media-types.ts';

interface Form {
  /** The statuses: v1 follows FastAPI, v2 is our own choice. */
  v1: number;
  v2: number;
  title: string;
}

/** The status and title of each code. */
export const ERROR_FORMS = {
  malformed_request: { v1: 400, v2: 400, title: 'Malformed request' },
  validation_failed: { v1: 422, v2: 422, title: 'Invalid request' },
  malformed_body: { v1: 422, v2: 400, title: 'Malformed body' },
  unauthenticated: { v1: 401, v2: 401, title: 'Not authenticated' },
  forbidden: { v1: 403, v2: 403, title: 'Not enough permissions' },
  not_found: { v1: 404, v2: 404, title: 'Not found' },
  method_not_allowed: { v1: 405, v2: 405, title: 'Method not allowed' },
  conflict: { v1: 409, v2: 409, title: 'Conflict' },
  email_taken: { v1: 400, v2: 409, title: 'Email already registered' },
  username_taken: { v1: 400, v2: 409, title: 'Username already registered' },
  bad_credentials: { v1: 400, v2: 401, title: 'Wrong credentials' },
  inactive_user: { v1: 400, v2: 403, title: 'Inactive user' },
  insufficient_scope: { v1: 403, v2: 403, title: 'Insufficient token scope' },
  csrf_refused: { v1: 403, v2: 403, title: 'Cross-site request refused' },
  misdirected_request: { v1: 421, v2: 421, title: 'Misdirected request' },
  email_unverified: { v1: 400, v2: 403, title: 'Email not verified' },
  weak_password: { v1: 422, v2: 422, title: 'Password too weak' },
  invalid_action_token: { v1: 400, v2: 400, title: 'Invalid, used or expired link' },
  second_factor_required: { v1: 400, v2: 401, title: 'Second factor required' },
  second_factor_missing: { v1: 403, v2: 403, title: 'Second factor missing' },
  proof_required: { v1: 403, v2: 403, title: 'Proof of identity required' },
  version_mismatch: { v1: 412, v2: 412, title: 'Version mismatch' },
  idempotency_mismatch: { v1: 422, v2: 422, title: 'Idempotency-Key used for another request' },
  idempotency_running: { v1: 409, v2: 409, title: 'Request still in progress' },
  batch_failed: { v1: 422, v2: 422, title: 'Batch failed, nothing was changed' },
  // Not 429, because a later retry does not help.
  quota_exceeded: { v1: 403, v2: 403, title: 'Quota exceeded' },
  too_many_requests: { v1: 429, v2: 429, title: 'Too many requests' },
  payload_too_large: { v1: 413, v2: 413, title: 'Body too large' },
  length_required: { v1: 411, v2: 411, title: 'Length required' },
  unsupported_media_type: { v1: 415, v2: 415, title: 'Unsupported media type' },
  invalid_query: { v1: 400, v2: 400, title: 'Invalid query parameter' },
  invalid_cursor: { v1: 400, v2: 400, title: 'Invalid cursor' },
  upstream_failed: { v1: 502, v2: 502, title: 'Upstream failed' },
  upstream_timeout: { v1: 504, v2: 504, title: 'Upstream timed out' },
  overloaded: { v1: 503, v2: 503, title: 'Overloaded' },
  circuit_open: { v1: 503, v2: 503, title: 'Upstream suspended after failures' },
  secrets_unreadable: { v1: 503, v2: 503, title: 'Stored secrets unreadable' },
  database_busy: { v1: 503, v2: 503, title: 'Database busy' },
  storage_full: { v1: 507, v2: 507, title: 'Storage full' },
  storage_failed: { v1: 503, v2: 503, title: 'Storage failed' },
  internal: { v1: 500, v2: 500, title: 'Internal server error' },
} as const satisfies Record<ErrorCode, Form>;

/** Returns the version whose error form a path uses: v1, unless the path is under v2. */
export function versionOf(path: string): 'v1' | 'v2' {
  return path === '/api/v2' || path.startsWith('/api/v2/') ? 'v2' : 'v1';
}

export interface ErrorContext {
  version: 'v1' | 'v2';
  method: string;
  path: string;
  request_id: string;
}

/** Returns the response for a failed request, in the form of its version. */
export function errorResponse(error: AppError, context: ErrorContext): Response {
  const { version, method, path, request_id } = context;
  const problems = problemsOf(error, method);
  const isV2 = version === 'v2';
  const type = isV2 ? 'application/problem+json' : 'application/json';
  const body = isV2 ? v2Body(error, path, request_id, problems) : v1Body(error, problems);
  return new Response(JSON.stringify(body), {
    status: ERROR_FORMS[error.code][version],
    headers: { ...errorHeaders(error), 'content-type': type },
  });
}

/** The problems of an error. The fields that a service refuses are in the query or the body. */
function problemsOf({ problems, fields }: AppError, method: string): Problem[] {
  const section = method === 'GET' || method === 'HEAD' ? 'query' : 'body';
  const located = fields.map(({ type, path, msg }) => ({ type, loc: [section, ...path], msg }));
  return [...problems, ...located];
}

/** The v1 form: `{"detail": …}`, a text or FastAPI's list of problems. */
export function v1Body(error: AppError, problems = error.problems): unknown {
  return { detail: problems.length > 0 ? problems : error.message };
}

/** The v2 form: an RFC 9457 problem. `code` is stable, `detail` is for people. */
export function v2Body(
  error: AppError,
  instance: string,
  request_id: string,
  problems = error.problems,
): unknown {
  const { v2: status, title } = ERROR_FORMS[error.code];
  const problem = { type: 'about:blank', title, status, detail: error.message, instance };
  const errors = problems.map(({ type, loc, msg }) => ({
    path: loc.join('.'),
    code: type,
    message: msg,
  }));
  return {
    ...problem,
    code: error.code,
    request_id,
    ...(errors.length > 0 && { errors }),
    ...(error.quota && { quota: error.quota }),
  };
}

export function errorHeaders(error: AppError): Record<string, string> {
  return {
    ...(error.code === 'unauthenticated' && { 'www-authenticate': 'Bearer' }),
    ...(error.allow.length > 0 && { allow: error.allow.join(', ') }),
    ...(error.allow.includes('PATCH') && { 'accept-patch': PATCH_TYPES.join(', ') }),
    ...(error.retryAfterSeconds && { 'retry-after': String(error.retryAfterSeconds) }),
  };
}
