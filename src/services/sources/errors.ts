import { AppError } from '../../core/exceptions.ts';
import { OutboundError, type OutboundErrorCode } from '../../core/outbound/errors.ts';
import { ParameterError } from './values.ts';

/** The end of a sentence that begins with the source. Nothing that the source sent is repeated. */
const MESSAGES: Record<OutboundErrorCode, string> = {
  url_refused: 'has a URL that must not be called',
  request_refused: 'was not called: its request cannot be sent',
  address_refused: 'has an address that must not be called',
  dns_failed: 'has a host name that cannot be resolved',
  connect_failed: 'could not be reached or closed the connection',
  tls_failed: 'has no valid TLS certificate',
  timeout: 'did not respond in time',
  too_many_redirects: 'redirected too often',
  bad_redirect: 'redirected to a URL that must not be called',
  too_large: 'sent a response that is too large',
  bad_status: 'responded with an error',
  not_json: 'did not respond with valid JSON',
  bad_media_type: 'responded with a media type that is not accepted',
  bad_encoding: 'responded with an encoding that cannot be decoded',
  overloaded: 'was not called: too many calls are waiting',
  circuit_open: 'was not called: it has failed too often recently',
  aborted: 'was not called to the end: the call was aborted',
};

/** A failed call as it is reported next to the results of other calls. */
export interface CallFailure {
  code: string;
  message: string;
}

/** The error of a failed call as its caller sees it. Internal errors are returned unchanged. */
export function callError(name: string, error: unknown): unknown {
  if (error instanceof ParameterError) {
    const fields = error.problems.map(({ name, ...it }) => ({ ...it, path: [name] }));
    return new AppError('invalid_query', error.message, { fields });
  }
  return error instanceof OutboundError ? upstreamError(name, error) : error;
}

function upstreamError(name: string, error: OutboundError): AppError {
  const { code } = error;
  const message = messageFor(name, error);
  const problems = [{ type: code, loc: ['source'], msg: message }];
  if (code === 'timeout') {
    return new AppError('upstream_timeout', message, { problems, cause: error });
  }
  if (code === 'overloaded' || code === 'circuit_open') {
    const retryAfterSeconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000));
    return new AppError(code, message, { retryAfterSeconds, cause: error });
  }
  return new AppError('upstream_failed', message, { problems, cause: error });
}

/** A failed call as an entry in a list of results. Rethrows internal errors. */
export function callFailure(name: string | undefined, error: unknown): CallFailure {
  if (error instanceof ParameterError) {
    const message = error.problems.map((it) => `${it.name}: ${it.msg}`).join('; ');
    return { code: 'invalid_parameters', message };
  }
  if (error instanceof OutboundError) {
    const { code, message } = error;
    return { code, message: name === undefined ? message : messageFor(name, error) };
  }
  if (error instanceof AppError) return { code: error.code, message: error.message };
  throw error;
}

function messageFor(name: string, { code, status }: OutboundError): string {
  const suffix = status === undefined ? '' : `: ${status}`;
  return `Source ${name} ${MESSAGES[code]}${suffix}`;
}
