import { type AnyElysia, Elysia, ParseError, ValidationError } from 'elysia';
import { storageError } from '../../core/db/storage-error.ts';
import type { Deps } from '../../core/deps.ts';
import { AppError, type ErrorCode } from '../../core/exceptions.ts';
import { urlPath } from '../../utils/http/url.ts';
import { findProblems } from '../request/validation.ts';
import { ERROR_FORMS, errorResponse, versionOf } from './error-forms.ts';
import { createRefusalLog } from './refusal-log.ts';
import { allowedMethods, findRoute } from './routes.ts';

interface Failure {
  request: Request;
  path: string;
  route: string;
  params: unknown;
  query: unknown;
  body: unknown;
}

/** Faults of other servers: they are logged as warnings, without a stack. */
const OUTSIDE = new Set<ErrorCode>(['upstream_failed', 'upstream_timeout', 'circuit_open']);

/**
 * Responds to every error in the form of the called version, and reveals nothing else. `app` is the
 * whole application; its routes are read when an error occurs.
 */
export const errors = (deps: Pick<Deps, 'log' | 'config'>, app: () => AnyElysia) => {
  const { log } = deps;
  const logRefusal = createRefusalLog(deps, app);
  return new Elysia({ name: 'hutch-errors' }).onError(
    { as: 'global' },
    // Destructured, because Elysia derives from it what each route must prepare: for a whole
    // context it would parse headers and cookies of every request.
    ({ code, error, request, set, route, params, query, body }) => {
      const path = urlPath(request.url);
      const failure = { request, path, route, params, query, body };
      const appError = toAppError(code, error, failure, app());
      const request_id = String(set.headers['x-request-id'] ?? '');
      const version = versionOf(path);
      const status = ERROR_FORMS[appError.code][version];
      set.status = status;
      const where = { request_id, method: request.method, path };
      if (OUTSIDE.has(appError.code)) {
        log.warn(appError.message, { ...where, code: appError.code, reason: reasonOf(appError) });
      } else if (status >= 500) {
        log.error(appError.message, { ...where, error });
      } else {
        void logRefusal({ code: appError.code, request, path, request_id });
      }
      return errorResponse(appError, { version, method: request.method, path, request_id });
    },
  );
};

function reasonOf({ cause }: AppError): string | undefined {
  return cause instanceof Error ? cause.message : undefined;
}

function toAppError(
  code: string | number,
  error: unknown,
  failure: Failure,
  app: AnyElysia,
): AppError {
  if (error instanceof AppError) return error;
  if (code === 'NOT_FOUND') return unknownRoute(failure, app);
  if (error instanceof ParseError) return new AppError('malformed_body', 'Malformed body');
  if (error instanceof ValidationError && error.type !== 'response') {
    return validationFailed(failure, app, error);
  }
  const stored = storageError(error);
  if (stored instanceof AppError) return stored;
  return new AppError('internal', 'Internal server error', { cause: error });
}

function unknownRoute({ request, path }: Failure, app: AnyElysia): AppError {
  const allow = allowedMethods(app, path);
  return allow.length > 0 && !allow.includes(request.method)
    ? new AppError('method_not_allowed', 'Method Not Allowed', { allow })
    : new AppError('not_found', 'Not Found');
}

function validationFailed(failure: Failure, app: AnyElysia, error: unknown): AppError {
  const schemas = findRoute(app, failure.request.method, failure.route)?.hooks ?? {};
  const problems = findProblems({ schemas, values: failure });
  if (problems.length === 0) {
    return new AppError('internal', 'Internal server error', { cause: error });
  }
  return new AppError('validation_failed', 'The request is not valid', { problems });
}
