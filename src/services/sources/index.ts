import type { Cache } from '../../core/cache.ts';
import type { Db } from '../../core/db/db.ts';
import type { Log } from '../../core/log.ts';
import type { Outbound } from '../../core/outbound/client.ts';
import type { Cursors } from '../../core/security/cursors.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import type { Audit } from '../audit/audit.ts';
import { createSourceCalls } from './calls.ts';
import { createSourceFetch } from './fetch.ts';
import { createSourceRefresh } from './refresh.ts';
import { createSourceRekey } from './rekey.ts';
import { createSources } from './sources.ts';
import { createSourceStats } from './stats.ts';

export interface SourceGatewayDeps {
  db: Db;
  cursors: Cursors;
  cache: Cache;
  log: Log;
  audit: Audit;
  outbound: Outbound;
  box: SecretBox;
  config: {
    externalAllowHosts: string[];
    externalOnlyHosts: string[];
  };
  now(): Date;
}

/** All that makes outside APIs callable by name, over one box of secrets. */
export function createSourceGateway(deps: SourceGatewayDeps) {
  const { config, log, now, db, box, cache, outbound } = deps;
  const { externalAllowHosts: allowHosts, externalOnlyHosts: onlyHosts } = config;
  const stats = createSourceStats({ db, log, now });
  const calls = createSourceCalls({ db, cache, box, outbound, stats });
  const sourceRefresh = createSourceRefresh({ db, log, calls, now });
  return {
    jobs: [stats.purge, sourceRefresh.job],
    sources: createSources({ ...deps, hosts: { allowHosts, onlyHosts } }),
    sourceCalls: calls,
    sourceFetch: createSourceFetch({ calls, outbound }),
    sourceStats: stats,
    sourceRefresh,
    sourceRekey: createSourceRekey({ db, box }),
  };
}
