import type { Deps } from '../../../core/deps.ts';
import { AuditEntries, AuditQuery } from '../../../schemas/accounts/audit-log.ts';
import { AUDIT_FILTERS } from '../../../schemas/filters.ts';
import { filterParameters } from '../../../schemas/list-query.ts';
import { accountRoutes, adminRoute } from '../../plugins/access-rules.ts';
import { queryTime } from '../../request/parameters.ts';
import { filtersOf, parseQuery, throwProblems } from '../resources/list-query.ts';
import { ADMIN, v2Errors } from '../responses.ts';

export const createAuditLogRoutes = ({ auditLog: service }: Pick<Deps, 'auditLog'>) =>
  accountRoutes({ prefix: '/audit-log', tags: ['system'] }).get(
    '',
    ({ actor, request, query: { actor_id, user_id, action, limit, cursor, ...query } }) => {
      const parsed = parseQuery(request.url, AuditQuery);
      const filters = filtersOf(parsed, AUDIT_FILTERS, actor.id);
      throwProblems(parsed);
      return service.list(actor, {
        ...{ actor_id, user_id, action: action?.trim(), filters, limit, cursor },
        from: queryTime(query, 'from'),
        until: queryTime(query, 'until'),
      });
    },
    {
      query: AuditQuery,
      response: { 200: AuditEntries, ...v2Errors(...ADMIN, 'invalid_cursor', 'validation_failed') },
      detail: {
        ...adminRoute('listAuditLog', 'Read the audit log, newest entry first'),
        'x-parameters': filterParameters(AUDIT_FILTERS),
      },
    },
  );
