import type { Config } from '../core/config.ts';
import type { AppError } from '../core/exceptions.ts';
import { urlPath } from '../utils/url.ts';
import { errorResponse, versionOf } from './error-forms.ts';
import { requestIdOf } from './request-id.ts';
import { securityHeaders } from './security-headers.ts';

/** Answers a request with an error before Elysia has seen it, as it would be answered there. */
export function createEarlyRefusal(config: Config) {
  const headers = securityHeaders(config);
  return (request: Request, error: AppError): Response => {
    const path = urlPath(request.url);
    const request_id = requestIdOf(request);
    // Nothing has looked at how its body is framed: no more of it is read.
    const own = { ...headers, 'x-request-id': request_id, connection: 'close' };
    return errorResponse(error, { version: versionOf(path), path, request_id, headers: own });
  };
}
