import type { Base } from '../../core/base.ts';
import type { Audit } from '../audit/audit.ts';
import { createSourceCalls } from './calls.ts';
import { createExternal } from './external.ts';
import { createSourceFetch } from './fetch.ts';
import { createSourceRefresh } from './refresh.ts';
import { createSourceRekey } from './rekey.ts';
import { createSources } from './sources.ts';
import { createSourceStats } from './stats.ts';

export interface SourceServicesDeps extends Base {
  audit: Audit;
}

/** The services of sources: outside APIs that are called by name. */
export function createSourceServices(deps: SourceServicesDeps) {
  const { config, log, now, db, box, cache, outbound, queue } = deps;
  const { externalAllowHosts: allowHosts, externalOnlyHosts: onlyHosts } = config;
  const stats = createSourceStats({ db, log, now });
  const calls = createSourceCalls({ db, cache, box, outbound, stats });
  return {
    jobs: [stats.purge, createSourceRefresh({ db, log, queue, calls, now })],
    external: createExternal({ outbound }),
    sources: createSources({ ...deps, hosts: { allowHosts, onlyHosts } }),
    sourceCalls: calls,
    sourceFetch: createSourceFetch({ calls, outbound }),
    sourceStats: stats,
    sourceRekey: createSourceRekey({ db, box }),
  };
}
