import { and, desc, eq, sql } from 'drizzle-orm';
import type { Actor, AnyActor } from '../../core/actor.ts';
import type { Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import { auditLog } from '../../models/audit-log.ts';
import { DAY_MS } from '../../utils/time/units.ts';
import type { EventType } from '../webhooks/event-types.ts';
import type { NotifyWebhooks } from '../webhooks/events.ts';

/** The recorded actions: a closed set, so that filters can rely on it. */
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
  | 'webhook.created'
  | 'webhook.updated'
  | 'webhook.deleted'
  | 'webhook.secret_rotated'
  | 'webhook.disabled'
  | 'webhook.tested'
  | 'webhook.replayed'
  | 'job.retried'
  | 'job.deleted'
  | 'data.exported';

type AuditDetails = Record<string, unknown>;

export interface AuditRecord {
  action: AuditAction;
  /** The affected account; null for none. */
  user_id: number | null;
  /** Must not contain secrets. */
  details?: AuditDetails;
}

export type Audit = ReturnType<typeof createAudit>;

/**
 * Actions that a session can repeat at will, at no cost to itself. Actions that end a session or
 * credential or need a password are never limited: a thief must not be able to exhaust what the
 * owner needs to recover the account.
 */
const REPEATABLE: ReadonlySet<AuditAction> = new Set([
  'data.exported',
  'user.updated',
  'token.created',
]);

/** The actions on accounts that webhooks are notified of. */
const EVENTS: { [Action in AuditAction]?: EventType } = {
  'user.created': 'users.created',
  'user.imported': 'users.created',
  'user.updated': 'users.updated',
  'user.role_changed': 'users.updated',
  'user.activated': 'users.updated',
  'user.deactivated': 'users.updated',
  'email.verified': 'users.updated',
  'email.changed': 'users.updated',
  'user.deleted': 'users.deleted',
};

export interface AuditDeps {
  /** The entries per day that an account may cause about itself before repeatable actions fail. */
  config: { quotaAuditEntries: number };
  notifyWebhooks: NotifyWebhooks;
  now(): Date;
}

export const createAudit = ({ config, notifyWebhooks, now }: AuditDeps) => {
  const { quotaAuditEntries: limit } = config;
  const record = async (tx: Tx, actor: AnyActor, entry: AuditRecord): Promise<void> => {
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
    const type = EVENTS[action];
    if (type && user_id !== null) await notifyWebhooks(tx, { type, id: user_id, version: null });
  };
  return {
    /**
     * Records an action in the transaction that performs it: both commit or neither does. Throws
     * quota_exceeded for a repeatable action of an account that exceeds its quota.
     */
    record,

    /** Records an action of an account on itself, as `record` does. */
    own: (tx: Tx, actor: Actor, action: AuditAction, details?: AuditDetails): Promise<void> =>
      record(tx, actor, { action, user_id: actor.id, ...(details && { details }) }),
  };
};

/** The newest entry by an account about itself after skipping `before`, from a partial index. */
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
