import { and, desc, eq, sql } from 'drizzle-orm';
import type { Actor, AnyActor } from '../../core/actor.ts';
import type { Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { AppError } from '../../core/exceptions.ts';
import { auditLog } from '../../models/index.ts';
import { DAY_MS } from '../../utils/time/units.ts';

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

type AuditDetails = Record<string, unknown>;

export interface AuditRecord {
  action: AuditAction;
  /** The account that it is about; null for none. */
  user_id: number | null;
  /** Never a secret. */
  details?: AuditDetails;
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

export interface AuditDeps {
  /** Entries that an account may cause on itself in a day before what is repeatable is refused. */
  config: { quotaAuditEntries: number };
  now(): Date;
}

export const createAudit = ({ config: { quotaAuditEntries: limit }, now }: AuditDeps) => {
  const record = async (tx: Session, actor: AnyActor, entry: AuditRecord): Promise<void> => {
    const { action, user_id, details = {} } = entry;
    if (user_id !== null && actor.id === user_id && REPEATABLE.has(action)) {
      await refuseTooMany(tx, user_id, limit, now());
    }
    await tx.orm.insert(auditLog).values({
      at: now().toISOString(),
      action,
      actor_id: actor.id,
      user_id,
      address: actor.origin.address,
      request_id: actor.origin.request_id,
      details: JSON.stringify(details),
    });
  };
  return {
    /**
     * Records what the actor did in the transaction that does it: both hold or neither. Throws
     * quota_exceeded for an act that an account has repeated too often.
     */
    record,

    /** Records what an account did to itself, as `record` does. */
    own: (tx: Session, actor: Actor, action: AuditAction, details?: AuditDetails): Promise<void> =>
      record(tx, actor, { action, user_id: actor.id, ...(details && { details }) }),
  };
};

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
