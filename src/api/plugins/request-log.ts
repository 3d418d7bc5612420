import { Elysia } from 'elysia';
import type { Log } from '../../core/log.ts';

/** Logs each request at level debug. Does nothing at other levels. */
export const requestLog = (log: Log) => {
  const plugin = new Elysia({ name: 'hutch-request-log' });
  if (log.level !== 'debug') return plugin;
  const begun = new WeakMap<Request, { at: number; request_id: unknown }>();
  return plugin
    .onRequest(({ request, set }) => {
      begun.set(request, { at: performance.now(), request_id: set.headers['x-request-id'] });
    })
    .onAfterResponse({ as: 'global' }, ({ request, path, set, responseValue }) => {
      const { at = 0, request_id } = begun.get(request) ?? {};
      log.debug('request', {
        method: request.method,
        path,
        status: responseValue instanceof Response ? responseValue.status : set.status,
        ms: Math.round((performance.now() - at) * 10) / 10,
        request_id,
      });
    });
};
