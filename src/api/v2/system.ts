import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { ProblemDetails, Stats, Version } from '../../schemas/system.ts';

export const system = ({ version, cache, db }: Pick<Deps, 'version' | 'cache' | 'db'>) =>
  new Elysia({ prefix: '/system', tags: ['system'] })
    .get('/version', () => ({ name: 'hutch', version }), {
      response: { 200: Version, 500: ProblemDetails },
      detail: { operationId: 'getVersion', summary: 'Name and version of this server' },
    })
    .get(
      '/stats',
      () => ({
        uptime_seconds: Math.floor(process.uptime()),
        memory_bytes: process.memoryUsage.rss(),
        cache: cache.stats(),
        database: db.stats(),
      }),
      {
        response: { 200: Stats, 401: ProblemDetails, 403: ProblemDetails, 500: ProblemDetails },
        detail: { operationId: 'getStats', summary: 'Counters of the cache and the database' },
      },
    );
