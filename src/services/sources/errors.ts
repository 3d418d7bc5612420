import { AppError } from '../../core/exceptions.ts';
import { OutboundError, type OutboundErrorCode } from '../../core/outbound/errors.ts';
import { ParameterError } from './values.ts';

/** What happened, after the name of the source. Of what the source sent, nothing is told. */
const WORDS: Record<OutboundErrorCode, string> = {
  url_refused: 'has a URL that may not be called',
  request_refused: 'was not called: the request cannot be sent',
  address_refused: 'has an address that may not be called',
  dns_failed: 'has a host name that cannot be resolved',
  connect_failed: 'could not be reached, or broke off',
  tls_failed: 'has no valid TLS certificate',
  timeout: 'did not answer in time',
  too_many_redirects: 'redirected too often',
  bad_redirect: 'redirected to a URL that may not be called',
  too_large: 'answered more than it may',
  bad_status: 'answered with an error',
  not_json: 'did not answer with valid JSON',
  bad_media_type: 'answered with a media type that is not taken',
  bad_encoding: 'answered in an encoding that cannot be read',
  overloaded: 'was not called: too many calls wait',
  circuit_open: 'was not called: it failed too often just now',
  aborted: 'was not waited for',
};

/** A failed call as its caller is told it. */
export interface CallFailure {
  code: string;
  message: string;
}

/** What a failed call of a source is to its caller. Faults of our own stay what they are. */
export function callError(name: string, error: unknown): unknown {
  if (error instanceof ParameterError) {
    const problems = error.wrong.map((it) => ({ ...it, loc: ['query', it.name] }));
    return new AppError('invalid_query', error.message, { problems });
  }
  return error instanceof OutboundError ? upstreamError(name, error) : error;
}

function upstreamError(name: string, error: OutboundError): AppError {
  const { code } = error;
  const message = wordsFor(name, error);
  const problems = [{ type: code, loc: ['source'], msg: message }];
  if (code === 'timeout')
    return new AppError('upstream_timeout', message, { problems, cause: error });
  if (code === 'overloaded' || code === 'circuit_open') {
    const retryAfterSeconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000));
    return new AppError(code, message, { retryAfterSeconds, cause: error });
  }
  return new AppError('upstream_failed', message, { problems, cause: error });
}

/** The same as an entry among others. Throws what is a fault of our own. */
export function callFailure(name: string | undefined, error: unknown): CallFailure {
  if (error instanceof ParameterError) {
    const message = error.wrong.map((it) => `${it.name}: ${it.msg}`).join('; ');
    return { code: 'invalid_parameters', message };
  }
  if (error instanceof OutboundError) {
    const { code, message } = error;
    return { code, message: name === undefined ? message : wordsFor(name, error) };
  }
  if (error instanceof AppError) return { code: error.code, message: error.message };
  throw error;
}

function wordsFor(name: string, { code, status }: OutboundError): string {
  const more = status === undefined ? '' : `: ${status}`;
  return `Source ${name} ${WORDS[code]}${more}`;
}
