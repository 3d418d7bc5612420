import { and, desc, eq, lt, type SQL } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import { type Cursors, readCursor } from '../../core/security/cursors.ts';
import { type WebhookDelivery, type WebhookRow, webhookDeliveries } from '../../models/webhooks.ts';
import { type Page, pageOf } from '../../utils/page.ts';
import { adminsOnly } from '../admins-only.ts';
import type { Audit, AuditAction } from '../audit/audit.ts';
import type { OnWritten } from '../idempotency.ts';
import { TEST_EVENT } from './event-types.ts';
import { insertDelivery, type NewDelivery, newEventId } from './events.ts';
import { getWebhook } from './rows.ts';

export interface WebhookDeliveriesDeps {
  db: Db;
  cursors: Cursors;
  audit: Audit;
  now(): Date;
  /** Called after a delivery was queued. */
  onQueued(): void;
}

export interface DeliveriesQuery {
  state?: WebhookDelivery['state'] | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

const DEFAULT_LIMIT = 50;

/** The log of deliveries. Each method throws forbidden unless the caller is an admin. */
export const createWebhookDeliveries = (deps: WebhookDeliveriesDeps) => {
  const { db, cursors, now } = deps;
  return adminsOnly({
    /** A page of the deliveries of a webhook, newest first. Throws not_found, invalid_cursor. */
    list: async (
      _actor: Actor,
      webhook_id: number,
      { state, limit = DEFAULT_LIMIT, cursor }: DeliveriesQuery,
    ): Promise<{ data: WebhookDelivery[]; page: Page }> => {
      await getWebhook(db.read, webhook_id);
      const scope = JSON.stringify(['webhook deliveries', webhook_id, state ?? null]);
      const [before] = readCursor(cursors, scope, cursor, ['number']) ?? [];
      const rows = await deliveriesWhere(
        db.read,
        limit + 1,
        eq(webhookDeliveries.webhook_id, webhook_id),
        state && eq(webhookDeliveries.state, state),
        before === undefined ? undefined : lt(webhookDeliveries.id, before as number),
      );
      return pageOf(rows, limit, ({ id }) => cursors.seal(scope, [id]));
    },

    /** Throws not_found. */
    get: async (_actor: Actor, webhook_id: number, id: number): Promise<WebhookDelivery> => {
      await getWebhook(db.read, webhook_id);
      return getDelivery(db.read, webhook_id, id);
    },

    /**
     * Sends an event of type `webhook.test`; `onWritten` runs in the same transaction. Throws
     * not_found, and conflict for a webhook that is not active.
     */
    test: (
      actor: Actor,
      webhook_id: number,
      onWritten?: OnWritten<WebhookDelivery>,
    ): Promise<WebhookDelivery> =>
      db.write(async (tx) => {
        requireActive(await getWebhook(tx, webhook_id));
        const at = now().toISOString();
        const event = { event_id: newEventId(), event_type: TEST_EVENT, event_at: at };
        const row = {
          ...event,
          webhook_id,
          resource_id: null,
          resource_version: null,
          replay_of: null,
        };
        return queue(deps, tx, actor, { action: 'webhook.tested', row, at, onWritten });
      }),

    /**
     * Sends the event of a finished delivery again, with the same event id; `onWritten` runs in the
     * same transaction. Throws not_found, and conflict for a webhook that is not active or a delivery
     * that is pending.
     */
    replay: (
      actor: Actor,
      webhook_id: number,
      id: number,
      onWritten?: OnWritten<WebhookDelivery>,
    ): Promise<WebhookDelivery> =>
      db.write(async (tx) => {
        requireActive(await getWebhook(tx, webhook_id));
        const delivery = await getDelivery(tx, webhook_id, id);
        if (delivery.state === 'pending') throw stillPending();
        const row = { ...eventOf(delivery), webhook_id, replay_of: id };
        const at = now().toISOString();
        return queue(deps, tx, actor, { action: 'webhook.replayed', row, at, onWritten });
      }),
  });
};

interface Queued {
  action: AuditAction;
  row: Omit<NewDelivery, 'created_at' | 'next_attempt_at'>;
  at: string;
  onWritten: OnWritten<WebhookDelivery> | undefined;
}

async function queue(
  { audit, onQueued }: WebhookDeliveriesDeps,
  tx: Tx,
  actor: Actor,
  { action, row, at, onWritten }: Queued,
): Promise<WebhookDelivery> {
  const [delivery] = await insertDelivery(tx, { ...row, created_at: at, next_attempt_at: at });
  const queued = delivery as WebhookDelivery;
  const details = { webhook: row.webhook_id, delivery: queued.id };
  await audit.record(tx, actor, { action, user_id: null, details });
  await onWritten?.(tx, queued);
  tx.afterCommit(onQueued);
  return queued;
}

async function getDelivery(
  session: Session,
  webhook_id: number,
  id: number,
): Promise<WebhookDelivery> {
  const isOne = and(eq(webhookDeliveries.id, id), eq(webhookDeliveries.webhook_id, webhook_id));
  const [row] = await deliveriesWhere(session, 1, isOne);
  if (!row) throw new AppError('not_found', `Delivery ${id} not found`);
  return row;
}

function deliveriesWhere({ orm }: Session, limit: number, ...conditions: (SQL | undefined)[]) {
  return orm
    .select()
    .from(webhookDeliveries)
    .where(and(...conditions))
    .orderBy(desc(webhookDeliveries.id))
    .limit(limit);
}

function eventOf(delivery: WebhookDelivery) {
  const { event_id, event_type, resource_id, resource_version, event_at } = delivery;
  return { event_id, event_type, resource_id, resource_version, event_at };
}

function stillPending(): AppError {
  return new AppError('conflict', 'The delivery is still pending');
}

function requireActive({ is_active }: WebhookRow): void {
  if (!is_active) throw new AppError('conflict', 'The webhook is not active');
}
