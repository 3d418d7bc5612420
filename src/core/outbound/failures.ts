import { OutboundError, type OutboundErrorCode } from './errors.ts';

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
