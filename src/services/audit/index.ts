import type { Base } from '../../core/base.ts';
import { type AuditDeps, createAudit } from './audit.ts';
import { createAuditLog, createAuditRetention } from './log.ts';

/** The writer, the reader and the retention of the audit log. */
export const createAuditServices = (deps: Base & AuditDeps) => ({
  audit: createAudit(deps),
  auditLog: createAuditLog(deps),
  jobs: [createAuditRetention(deps)],
});
