import type { Session } from '../core/db.ts';
import { auditLog } from '../models/index.ts';

/** Through what a request came: noted with a session and with every security-relevant act. */
export interface Via {
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
}

/** Nobody's request: a command or a job. */
export const SYSTEM: Via = { address: null, user_agent: null, request_id: null };

/** What is noted. The set is closed, so that a filter can trust it. */
export type AuditAction =
  | 'user.created'
  | 'user.updated'
  | 'user.deleted'
  | 'user.role_changed'
  | 'user.activated'
  | 'user.deactivated'
  | 'user.imported'
  | 'password.changed'
  | 'password.reset_asked'
  | 'password.reset'
  | 'email.verify_asked'
  | 'email.verified'
  | 'email.change_asked'
  | 'email.changed'
  | 'session.opened'
  | 'session.refused'
  | 'session.ended'
  | 'sessions.ended'
  | 'token.created'
  | 'token.deleted'
  | 'totp.enabled'
  | 'totp.disabled'
  | 'recovery_codes.made'
  | 'recovery_code.used'
  | 'passkey.added'
  | 'passkey.removed'
  | 'identity.linked'
  | 'identity.unlinked'
  | 'source.created'
  | 'source.updated'
  | 'source.deleted'
  | 'data.exported';

export interface AuditRecord {
  action: AuditAction;
  actor_id: number | null;
  user_id: number | null;
  via: Via;
  /** Never a secret. */
  details?: Record<string, unknown>;
}

export type Audit = ReturnType<typeof createAudit>;

export const createAudit = ({ now }: { now(): Date }) => ({
  /** Notes an act in the transaction that does it: both hold or neither. */
  record: async (tx: Session, { action, actor_id, user_id, via, details = {} }: AuditRecord) => {
    await tx.orm.insert(auditLog).values({
      at: now().toISOString(),
      action,
      actor_id,
      user_id,
      address: via.address,
      request_id: via.request_id,
      details: JSON.stringify(details),
    });
  },
});
