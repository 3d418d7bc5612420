import type { AnyElysia } from 'elysia';
import { networkOf } from '../../core/client-address.ts';
import type { Deps } from '../../core/deps.ts';
import type { ErrorCode } from '../../core/exceptions.ts';
import { createLimit } from '../../core/limits.ts';
import { addressOf } from '../request/origin.ts';
import { accountIdOf } from './access.ts';

/** The codes that may be an attack. A wrong field or a missing resource is not. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'unauthenticated',
  'forbidden',
  'insufficient_scope',
  'csrf_refused',
  'misdirected_request',
  'bad_credentials',
  'inactive_user',
  'second_factor_required',
  'second_factor_missing',
  'proof_required',
  'email_unverified',
  'invalid_action_token',
  'too_many_requests',
]);

/** Lines of one network in a window, so that a flood of requests does not flood the log. */
const MAX_LINES = 20;
const WINDOW_SECONDS = 10;

export interface Refusal {
  code: ErrorCode;
  request: Request;
  path: string;
  request_id: string;
}

/** Returns a function that logs a refusal: the request, its account and address, but no input. */
export function createRefusalLog(
  { log, config }: Pick<Deps, 'log' | 'config'>,
  app: () => AnyElysia,
) {
  const lines = createLimit('refusals', MAX_LINES, WINDOW_SECONDS);
  return async ({ code, request, path, request_id }: Refusal): Promise<void> => {
    if (!REFUSALS.has(code)) return;
    const address = addressOf(config, request, app().server);
    if ((await lines.count(networkOf(address ?? ''))).isOver) return;
    const { method } = request;
    log.warn('Refused.', {
      code,
      method,
      path,
      address,
      user_id: accountIdOf(request),
      request_id,
    });
  };
}
