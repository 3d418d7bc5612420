import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { AuditEntries, AuditQuery } from '../../schemas/admin-users.ts';
import { callerOf } from '../access.ts';
import { adminRoute } from '../access-rules.ts';
import { queryTime } from '../query-time.ts';
import { v2Errors } from './responses.ts';

export const auditLog = ({ auditLog: service }: Pick<Deps, 'auditLog'>) =>
  new Elysia({ prefix: '/audit-log', tags: ['system'] }).get(
    '',
    ({ request, query }) =>
      service.list(callerOf(request), {
        ...query,
        from: queryTime(query, 'from'),
        until: queryTime(query, 'until'),
      }),
    {
      query: AuditQuery,
      response: { 200: AuditEntries, ...v2Errors(401, 403, 422, 503) },
      detail: adminRoute('listAuditLog', 'Read the audit log, the newest act first'),
    },
  );
