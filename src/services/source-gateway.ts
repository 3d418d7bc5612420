import type { Cache } from '../core/cache.ts';
import type { Cursors } from '../core/cursors.ts';
import type { Db } from '../core/db.ts';
import type { Outbound } from '../core/http.ts';
import type { Log } from '../core/log.ts';
import type { SecretBox } from '../core/secret-box.ts';
import type { Audit } from './audit.ts';
import { createSourceCalls } from './source-calls.ts';
import { createSourceFetch } from './source-fetch.ts';
import { createSourceRefresh } from './source-refresh.ts';
import { createSourceRekey } from './source-rekey.ts';
import { createSourceStats } from './source-stats.ts';
import { createSources } from './sources.ts';

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
    chores: [stats.purge, sourceRefresh.chore],
    sources: createSources({ ...deps, hosts: { allowHosts, onlyHosts } }),
    sourceCalls: calls,
    sourceFetch: createSourceFetch({ calls, outbound }),
    sourceStats: stats,
    sourceRefresh,
    sourceRekey: createSourceRekey({ db, box }),
  };
}
