import type { Base } from '../../core/base.ts';
import { createAudit } from './audit.ts';
import { createAuditLog } from './log.ts';
import { createAuditRetention } from './retention.ts';

/** The audit log: its writer, its readers and its retention. */
export const createAuditServices = (base: Base) => ({
  audit: createAudit(base),
  auditLog: createAuditLog(base),
  jobs: [createAuditRetention(base)],
});
