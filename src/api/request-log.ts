import { Elysia } from 'elysia';
import type { Log } from '../core/log.ts';

/** Logs each request at level debug; at any other level it is not there at all. */
export const requestLog = (log: Log) => {
  const plugin = new Elysia({ name: 'hutch-request-log' });
  if (log.level !== 'debug') return plugin;
  const startedAt = new WeakMap<Request, number>();
  return plugin
    .onRequest(({ request }) => void startedAt.set(request, performance.now()))
    .onAfterResponse({ as: 'global' }, ({ request, path, set }) => {
      log.debug('request', {
        method: request.method,
        path,
        status: set.status,
        ms: Math.round((performance.now() - (startedAt.get(request) ?? 0)) * 10) / 10,
        request_id: set.headers['x-request-id'],
      });
    });
};
