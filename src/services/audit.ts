import { and, desc, eq, sql } from 'drizzle-orm';
import type { Session } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import { prepare } from '../core/query.ts';
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

/**
 * What a session can do any number of times at no cost of its own. All that ends a way in or
 * needs a password is let through: nobody may use up what the owner needs to help himself.
 */
const REPEATABLE: ReadonlySet<AuditAction> = new Set([
  'data.exported',
  'user.updated',
  'token.created',
]);
const DAY_MS = 86_400_000;

export interface AuditDeps {
  /** Entries that an account may cause on itself in a day before what is repeatable is refused. */
  config: { quotaAuditEntries: number };
  now(): Date;
}

export const createAudit = ({ config: { quotaAuditEntries: limit }, now }: AuditDeps) => ({
  /**
   * Notes an act in the transaction that does it: both hold or neither. Throws quota_exceeded for
   * an act that an account has repeated too often.
   */
  record: async (tx: Session, { action, actor_id, user_id, via, details = {} }: AuditRecord) => {
    if (user_id !== null && actor_id === user_id && REPEATABLE.has(action)) {
      await refuseTooMany(tx, user_id, limit, now());
    }
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

/** The latest of its own acts but some, by an index that has nothing else. */
const ownEntry = prepare<{ user_id: number; before: number }, { at: string }[]>((orm) =>
  orm
    .select({ at: auditLog.at })
    .from(auditLog)
    .where(
      and(
        eq(auditLog.user_id, sql.placeholder('user_id')),
        sql`${auditLog.actor_id} = ${auditLog.user_id}`,
      ),
    )
    .orderBy(desc(auditLog.id))
    .limit(1)
    .offset(sql.placeholder('before')),
);

async function refuseTooMany(tx: Session, user_id: number, limit: number, at: Date) {
  const [entry] = await ownEntry(tx, { user_id, before: limit - 1 });
  if (!entry || entry.at <= new Date(at.getTime() - DAY_MS).toISOString()) return;
  const quota = { name: 'audit_entries' as const, limit, used: limit };
  const message = `The quota of audit_entries is used up: ${limit} acts in 24 hours`;
  throw new AppError('quota_exceeded', message, { quota });
}
