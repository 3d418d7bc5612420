import { type AnyElysia, Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { urlPath } from '../../utils/http/url.ts';
import { addVary } from '../responses/response-set.ts';
import { allowedMethods } from './routes.ts';

const EXPOSED = [
  'X-Request-Id',
  'X-Cache',
  'X-Source-Status',
  'Age',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Location',
  'Link',
  'ETag',
  'Accept-Patch',
  'Idempotency-Replayed',
].join(', ');
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'If-Match',
  'If-None-Match',
  'Idempotency-Key',
  'Last-Event-ID',
  'X-Request-Id',
].join(', ');
/** The time for which a browser may cache the response to a preflight. */
const MAX_AGE_SECONDS = '600';

/** Lets pages of the listed origins read responses. Does nothing without a list. */
export const cors = ({ config }: Pick<Deps, 'config'>) => {
  const plugin = new Elysia({ name: 'hutch-cors' });
  const listed = new Set(config.corsOrigins);
  if (listed.size === 0) return plugin;
  return plugin.onRequest(({ request, set }) => {
    // On every response: a shared cache must not serve the response for one origin to another.
    addVary(set, 'Origin');
    const origin = request.headers.get('origin');
    if (origin !== null && listed.has(origin)) {
      set.headers['access-control-allow-origin'] = origin;
      set.headers['access-control-allow-credentials'] = 'true';
      set.headers['access-control-expose-headers'] = EXPOSED;
    }
  });
};

/** Responds to preflights of listed origins. Separate from `cors`, so that limits apply first. */
export const preflight = ({ config }: Pick<Deps, 'config'>, app: () => AnyElysia) => {
  const plugin = new Elysia({ name: 'hutch-preflight' });
  if (config.corsOrigins.length === 0) return plugin;
  return plugin.onRequest(({ request, set }) => {
    const isPreflight =
      request.method === 'OPTIONS' &&
      set.headers['access-control-allow-origin'] !== undefined &&
      request.headers.has('access-control-request-method');
    const methods = isPreflight ? allowedMethods(app(), urlPath(request.url)) : [];
    if (methods.length === 0) return undefined;
    const headers = {
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': MAX_AGE_SECONDS,
    };
    return new Response(null, { status: 204, headers });
  });
};
