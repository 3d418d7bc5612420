import type { Actor } from '../core/actor.ts';
import type { Cache } from '../core/cache.ts';
import type { Db } from '../core/db/db.ts';
import { readDescriptors } from '../core/descriptors.ts';
import type { Jobs } from '../core/jobs/index.ts';
import { adminsOnly } from './admins-only.ts';

export interface SystemStatsDeps {
  cache: Pick<Cache, 'stats'>;
  db: Pick<Db, 'stats'>;
  jobs: Pick<Jobs, 'stats'>;
}

/** Counters of this process, for admins. */
export const createSystemStats = ({ cache, db, jobs }: SystemStatsDeps) =>
  adminsOnly({
    /** Throws forbidden unless the caller is an admin. */
    read: async (_actor: Actor) => ({
      uptime_seconds: Math.floor(process.uptime()),
      memory_bytes: process.memoryUsage.rss(),
      descriptors: readDescriptors(),
      cache: cache.stats(),
      database: db.stats(),
      jobs: await jobs.stats(),
    }),
  });
