import type { Deps } from '../../core/deps.ts';
import type { AppError } from '../../core/exceptions.ts';
import { urlPath } from '../../utils/http/url.ts';
import { endsConnection } from '../request/framing.ts';
import { ERROR_FORMS, errorHeaders, v1Body, v2Body, versionOf } from './error-forms.ts';
import { requestIdOf } from './request-id.ts';
import { securityHeaders } from './security-headers.ts';

type RefusalDeps = Pick<Deps, 'config' | 'lifecycle'>;

/** The place of a value in a text that is made once. */
const BLANK = '\0';

/**
 * Answers requests with one error before Elysia has seen them, as they would be answered there.
 * What is the same for all of them is made once: under overload each microsecond counts. A body
 * that is chunked or long ends the connection.
 */
export function createEarlyRefusal(error: AppError, { config, lifecycle }: RefusalDeps) {
  const shared = { ...securityHeaders(config), ...errorHeaders(error) };
  const v1 = { ...shared, 'content-type': 'application/json', 'x-request-id': '' };
  const v2 = { ...v1, 'content-type': 'application/problem+json' };
  const { v1: v1Status, v2: v2Status } = ERROR_FORMS[error.code];
  const v1Text = JSON.stringify(v1Body(error));
  const [head, middle, tail] = JSON.stringify(v2Body(error, BLANK, BLANK)).split(
    JSON.stringify(BLANK),
  );
  return (request: Request): Response => {
    const path = urlPath(request.url);
    const isV1 = versionOf(path) === 'v1';
    const own = isV1 ? v1 : v2;
    const id = requestIdOf(request);
    own['x-request-id'] = id;
    const isLast = lifecycle.isStopping || endsConnection(request.headers);
    const headers = isLast ? { ...own, connection: 'close' } : own;
    const text = isV1 ? v1Text : `${head}${JSON.stringify(path)}${middle}"${id}"${tail}`;
    return new Response(text, { status: isV1 ? v1Status : v2Status, headers });
  };
}
