import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { Stats, Version } from '../../schemas/system.ts';
import { adminRoute, publicRoute } from '../access-rules.ts';
import { v2Errors } from './responses.ts';

export const system = ({ version, cache, db }: Pick<Deps, 'version' | 'cache' | 'db'>) =>
  new Elysia({ prefix: '/system', tags: ['system'] })
    .get('/version', () => ({ name: 'hutch', version }), {
      response: { 200: Version, ...v2Errors() },
      detail: publicRoute('getVersion', 'Name and version of this server'),
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
        response: { 200: Stats, ...v2Errors(401, 403) },
        detail: adminRoute('getStats', 'Counters of the cache and the database'),
      },
    );
