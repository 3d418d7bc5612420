import { type AnyElysia, Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import { urlPath } from '../../utils/http/url.ts';
import { endsConnection } from '../request/framing.ts';
import { ERROR_FORMS, errorHeaders, v1Body, v2Body, versionOf } from './error-forms.ts';
import { requestIdOf } from './request-id.ts';
import { createIsProbe } from './routes.ts';
import { securityHeaders } from './security-headers.ts';

const RETRY_AFTER_SECONDS = 1;

/**
 * Refuses requests with overloaded before any work, while the server cannot serve them in time.
 * Probes are always served. Does nothing if the setting is off.
 */
export const admission = (
  deps: Pick<Deps, 'admission' | 'config' | 'lifecycle'>,
  app: () => AnyElysia,
) => {
  const { admission: control } = deps;
  const plugin = new Elysia({ name: 'hutch-admission' });
  if (!control) return plugin;
  const isProbe = createIsProbe(app);
  const error = new AppError('overloaded', 'The server is overloaded, try again later', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
  const refuse = createEarlyRefusal(error, deps);
  const refuseInTime = (request: Request) => control.refusal(() => refuse(request));
  return plugin.wrap((next, request: Request) =>
    control.isOverloaded() && !isProbe(request) ? refuseInTime : next,
  );
};

type RefusalDeps = Pick<Deps, 'config' | 'lifecycle'>;

/** Marks the place of a value in a prepared text. */
const BLANK = '\0';

/**
 * Returns a function that responds with one error before Elysia sees the request, in the same form.
 * The constant parts are prepared once, because under overload each microsecond counts. A chunked or
 * long body closes the connection.
 */
function createEarlyRefusal(error: AppError, { config, lifecycle }: RefusalDeps) {
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
