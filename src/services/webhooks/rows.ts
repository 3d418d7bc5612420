import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { AppError } from '../../core/exceptions.ts';
import { type WebhookRow, webhooks } from '../../models/webhooks.ts';

/** Excludes webhooks that an admin has deleted. */
export const isListed = isNull(webhooks.deleted_at);

/** A webhook and the event types that it listens to, as JSON. */
export type Listener = Pick<WebhookRow, 'id' | 'events'>;

/** The active webhooks. */
export const activeWebhooks = prepare<Record<string, never>, Listener[]>((orm) =>
  orm
    .select({ id: webhooks.id, events: webhooks.events })
    .from(webhooks)
    .where(and(isListed, eq(webhooks.is_active, true)))
    .orderBy(asc(webhooks.id)),
);

const webhookById = prepare<{ id: number }, WebhookRow[]>((orm) =>
  orm
    .select()
    .from(webhooks)
    .where(and(eq(webhooks.id, sql.placeholder('id')), isListed)),
);

export async function findWebhook(session: Session, id: number): Promise<WebhookRow | undefined> {
  return (await webhookById(session, { id }))[0];
}

/** Throws not_found. */
export async function getWebhook(session: Session, id: number): Promise<WebhookRow> {
  const row = await findWebhook(session, id);
  if (!row) throw new AppError('not_found', `Webhook ${id} not found`);
  return row;
}

/** Returns up to `limit` webhooks after the id `after`, by id. */
export function webhooksAfter({ orm }: Session, after: number, limit: number) {
  return orm
    .select()
    .from(webhooks)
    .where(and(isListed, gt(webhooks.id, after)))
    .orderBy(asc(webhooks.id))
    .limit(limit);
}

/** Sets columns and returns the new row. */
export async function updateWebhook(
  { orm }: Session,
  id: number,
  set: Partial<WebhookRow>,
): Promise<WebhookRow> {
  const [row] = await orm.update(webhooks).set(set).where(eq(webhooks.id, id)).returning();
  return row as WebhookRow;
}
