import type { Deps } from '../../core/deps.ts';
import { Stats, Version } from '../../schemas/system.ts';
import { adminRoute, openRoutes, publicRoute, signedIn } from '../plugins/access-rules.ts';
import { ADMIN, v2Errors } from './responses.ts';

/** Version and statistics of this server. */
export const createSystemRoutes = ({
  version,
  systemStats,
}: Pick<Deps, 'version' | 'systemStats'>) =>
  openRoutes({ prefix: '/system', tags: ['system'] })
    .get('/version', () => ({ name: 'hutch', version }), {
      response: { 200: Version, ...v2Errors() },
      detail: publicRoute('getVersion', 'Name and version of this server'),
    })
    .get('/stats', ({ actor }) => systemStats.read(signedIn(actor)), {
      response: { 200: Stats, ...v2Errors(...ADMIN) },
      detail: adminRoute('getStats', 'Counters of the cache and the database'),
    });
