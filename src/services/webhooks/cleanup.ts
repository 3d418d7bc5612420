import { and, asc, eq, gt, inArray, lt, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { type Job, runSteps } from '../../core/jobs/recurring.ts';
import { webhookDeliveries, webhooks } from '../../models/webhooks.ts';
import { DAY_MS, MINUTE_MS } from '../../utils/time/units.ts';
import type { Disable } from './disable.ts';
import { activeWebhooks } from './rows.ts';

export interface WebhookCleanupDeps {
  db: Db;
  disable: Disable;
  now(): Date;
}

/** The time for which a delivery is in the log. */
const RETENTION_MS = 30 * DAY_MS;
/** A webhook is disabled when more deliveries than this wait. */
const MAX_PENDING = 100_000;
const EVERY_MS = MINUTE_MS;
/** Another process, such as an import, may record events for a deleted webhook for a moment. */
const ERASURE_MS = MINUTE_MS;
/** Deliveries deleted in one statement. */
const STEP = 50;

/**
 * A recurring job: erases deleted webhooks and old deliveries, and disables webhooks whose backlog is
 * too long.
 */
export const createWebhookCleanup = ({ db, disable, now }: WebhookCleanupDeps): Job => ({
  name: 'webhook cleanup',
  everyMs: EVERY_MS,
  run: async () => {
    await disableOverfull(db, disable);
    const before = (ageMs: number) => new Date(now().getTime() - ageMs).toISOString();
    return runSteps(
      db,
      async (tx) =>
        (await eraseDeleted(tx, before(ERASURE_MS))) || eraseOld(tx, before(RETENTION_MS)),
    );
  },
});

async function disableOverfull(db: Db, disable: Disable): Promise<void> {
  for (const { id } of await activeWebhooks(db.read, {})) {
    const [beyond] = await pendingBeyond(db.read, { id });
    if (beyond) await db.write((tx) => disable(tx, id, 'backlog'));
  }
}

/** Erases some deliveries of a deleted webhook or, after the last one, the webhook itself. */
async function eraseDeleted({ orm }: Tx, until: string): Promise<boolean> {
  const isDeleted = lt(webhooks.deleted_at, until);
  const [webhook] = await orm.select({ id: webhooks.id }).from(webhooks).where(isDeleted).limit(1);
  if (!webhook) return false;
  const { id, webhook_id } = webhookDeliveries;
  const first = orm.select({ id }).from(webhookDeliveries).where(eq(webhook_id, webhook.id));
  const erased = await orm
    .delete(webhookDeliveries)
    .where(inArray(id, first.limit(STEP)))
    .returning({ id });
  if (erased.length === 0) await orm.delete(webhooks).where(eq(webhooks.id, webhook.id));
  return true;
}

/** Erases the oldest deliveries, which come first in the order of the ids. */
async function eraseOld({ orm }: Tx, until: string): Promise<boolean> {
  const { id, created_at } = webhookDeliveries;
  const oldest = orm
    .select({ id, created_at })
    .from(webhookDeliveries)
    .where(gt(id, 0))
    .orderBy(asc(id))
    .limit(STEP);
  const due = (await oldest).filter((it) => it.created_at < until).map((it) => it.id);
  if (due.length === 0) return false;
  await orm.delete(webhookDeliveries).where(and(inArray(id, due), lt(created_at, until)));
  return due.length === STEP;
}

const pendingBeyond = prepare<{ id: number }, { id: number }[]>((orm) =>
  orm
    .select({ id: webhookDeliveries.id })
    .from(webhookDeliveries)
    .where(
      and(
        eq(webhookDeliveries.webhook_id, sql.placeholder('id')),
        eq(webhookDeliveries.state, 'pending'),
      ),
    )
    .orderBy(asc(webhookDeliveries.id))
    .limit(1)
    .offset(MAX_PENDING),
);
