import { Elysia, status } from 'elysia';
import type { Deps } from '../core/deps.ts';
import { Health, Unready } from '../schemas/system.ts';
import { publicRoute } from './plugins/access-rules.ts';

/** Health checks: `live` shows that the process runs, `ready` that it can read and write. */
export const createHealthRoutes = ({ db, lifecycle }: Pick<Deps, 'db' | 'lifecycle'>) =>
  new Elysia({ prefix: '/health', tags: ['system'] })
    .get('/live', () => ({ status: 'ok' as const }), {
      response: { 200: Health },
      detail: { ...publicRoute('getLive', 'Check that the process runs'), isProbe: true },
    })
    .get(
      '/ready',
      () => {
        const code = db.fault() ?? (lifecycle.isStopping ? ('stopping' as const) : undefined);
        return code ? status(503, { status: 'unready' as const, code }) : { status: 'ok' as const };
      },
      {
        response: { 200: Health, 503: Unready },
        detail: {
          ...publicRoute('getReady', 'Check that the database can be read and written'),
          isProbe: true,
        },
      },
    );
