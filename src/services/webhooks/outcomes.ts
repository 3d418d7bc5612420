import { and, eq, isNotNull, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { type WebhookDelivery, webhookDeliveries, webhooks } from '../../models/webhooks.ts';
import { DAY_MS } from '../../utils/time/units.ts';
import type { Outcome } from './attempt.ts';
import type { Disable } from './disable.ts';
import { findWebhook, updateWebhook } from './rows.ts';
import { retryDelayMs } from './schedule.ts';

export interface OutcomesDeps {
  db: Db;
  disable: Disable;
  now(): Date;
  random?: () => number;
}

type Succeeded = Extract<Outcome, { kind: 'succeeded' }>;
type Failed = Extract<Outcome, { kind: 'failed' }>;

/** A webhook is disabled when nothing has succeeded for this long. */
const FAILING_MS = 5 * DAY_MS;
/** The status with which a receiver asks not to be called again. */
const GONE = 410;
const MAX_ERROR = 500;

/**
 * Creates a function that records the outcome of an attempt: in the log of deliveries, and for the
 * webhook. It disables a webhook that is gone or has failed for days. Returns true if it did.
 */
export function createRecordOutcome({ db, disable, now, random = Math.random }: OutcomesDeps) {
  const succeed = async (tx: Tx, delivery: WebhookDelivery, { status, durationMs }: Succeeded) => {
    const set = { error: null, response_status: status, duration_ms: durationMs };
    await settle(tx, delivery, { ...set, state: 'succeeded', next_attempt_at: null }, now());
    await endFailing(tx, { id: delivery.webhook_id });
    return false;
  };

  const fail = async (tx: Tx, delivery: WebhookDelivery, outcome: Failed): Promise<boolean> => {
    const { status, durationMs, error, retryAfterMs } = outcome;
    const at = now();
    const delayMs =
      status === GONE
        ? undefined
        : retryDelayMs({ attempts: delivery.attempts + 1, retryAfterMs, random });
    const next = delayMs === undefined ? null : new Date(at.getTime() + delayMs).toISOString();
    const state = next === null ? 'failed' : 'pending';
    const set = {
      response_status: status,
      duration_ms: durationMs,
      error: error.slice(0, MAX_ERROR),
    };
    await settle(tx, delivery, { ...set, state, next_attempt_at: next }, at);
    return recordFailing(tx, delivery.webhook_id, status, at);
  };

  const recordFailing = async (tx: Tx, id: number, status: number | null, at: Date) => {
    const webhook = await findWebhook(tx, id);
    if (!webhook?.is_active) return true;
    const { failing_since, version } = webhook;
    if (failing_since === null) {
      await updateWebhook(tx, id, { failing_since: at.toISOString(), version: version + 1 });
    }
    const isOver = failing_since !== null && Date.parse(failing_since) + FAILING_MS <= at.getTime();
    if (status !== GONE && !isOver) return false;
    await disable(tx, id, status === GONE ? 'gone' : 'failing');
    return true;
  };

  return (delivery: WebhookDelivery, outcome: Succeeded | Failed): Promise<boolean> =>
    db.write((tx) =>
      outcome.kind === 'succeeded' ? succeed(tx, delivery, outcome) : fail(tx, delivery, outcome),
    );
}

type Settled = Pick<
  WebhookDelivery,
  'state' | 'next_attempt_at' | 'response_status' | 'duration_ms' | 'error'
>;

async function settle({ orm }: Tx, delivery: WebhookDelivery, set: Settled, at: Date) {
  const { id, attempts } = delivery;
  const attempt = { attempts: attempts + 1, last_attempt_at: at.toISOString() };
  await orm
    .update(webhookDeliveries)
    .set({ ...set, ...attempt })
    .where(eq(webhookDeliveries.id, id));
}

const endFailing = prepare<{ id: number }, unknown>((orm) =>
  orm
    .update(webhooks)
    .set({ failing_since: null, version: sql`${webhooks.version} + 1` })
    .where(and(eq(webhooks.id, sql.placeholder('id')), isNotNull(webhooks.failing_since))),
);
