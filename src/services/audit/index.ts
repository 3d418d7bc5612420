import type { Base } from '../../core/base.ts';
import { createAudit } from './audit.ts';
import { createAuditLog, createAuditRetention } from './log.ts';

/** The writer, the reader and the retention of the audit log. */
export const createAuditServices = (base: Base) => ({
  audit: createAudit(base),
  auditLog: createAuditLog(base),
  jobs: [createAuditRetention(base)],
});
