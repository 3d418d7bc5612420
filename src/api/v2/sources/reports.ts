import type { Deps } from '../../../core/deps.ts';
import {
  DryRun,
  DryRunRequest,
  SourceStats,
  SourceStatsQuery,
} from '../../../schemas/sources/calls.ts';
import { SourceName } from '../../../schemas/sources/sources.ts';
import { accountRoutes, adminRoute } from '../../plugins/access-rules.ts';
import { SOURCE_BODY } from '../../request/body-rules.ts';
import { ADMIN, v2BodyErrors, v2WriteErrors } from '../responses.ts';

/** Dry runs and statistics of a source, for admins. */
export const createSourceReportRoutes = ({
  sources,
  sourceStats,
}: Pick<Deps, 'sources' | 'sourceStats'>) =>
  accountRoutes({ prefix: '/sources/:name', tags: ['sources'] })
    .post(
      '/dry-run',
      ({ actor, params, body }) => sources.dryRun(actor, params.name, body.params ?? {}),
      {
        params: SourceName,
        body: DryRun,
        response: {
          200: DryRunRequest,
          ...v2BodyErrors(...ADMIN, 'not_found', 'secrets_unreadable'),
        },
        detail: {
          ...adminRoute(
            'dryRunSource',
            'Show the request that a call would send, with secrets as ***',
          ),
          body: SOURCE_BODY,
        },
      },
    )
    .get(
      '/stats',
      ({ actor, params, query }) => sourceStats.report(actor, params.name, query.hours ?? 24),
      {
        params: SourceName,
        query: SourceStatsQuery,
        // Reading writes the pending counts first.
        response: {
          200: SourceStats,
          ...v2WriteErrors(...ADMIN, 'not_found', 'validation_failed'),
        },
        detail: adminRoute('getSourceStats', 'Read the statistics of the calls of a source'),
      },
    );
