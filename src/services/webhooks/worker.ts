import { and, asc, eq, lte, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Log } from '../../core/log.ts';
import { type WebhookDelivery, type WebhookRow, webhookDeliveries } from '../../models/webhooks.ts';
import { MINUTE_MS } from '../../utils/time/units.ts';
import type { createAttempt } from './attempt.ts';
import type { createRecordOutcome } from './outcomes.ts';
import { activeWebhooks, findWebhook } from './rows.ts';

export interface WebhookWorkerDeps {
  db: Db;
  log: Log;
  attempt: ReturnType<typeof createAttempt>;
  recordOutcome: ReturnType<typeof createRecordOutcome>;
  now(): Date;
}

/** Deliveries read at once. */
const PAGE = 64;
/** Concurrent requests of one webhook. */
const CONCURRENCY = 4;
/** The interval for finding retries that are due and events of other processes. */
const POLL_MS = 1_000;
/** The rest of a webhook whose outcomes cannot be recorded: each attempt would be repeated. */
const FAULT_REST_MS = MINUTE_MS;
/** The time a stop waits for requests; those that it aborts are sent again after the next start. */
const STOP_PATIENCE_MS = 5_000;

/**
 * Sends the deliveries that are due. Each webhook has its own places, so that one that is slow or down
 * does not delay others. Deliveries about one row are sent one at a time, in the order of the commits.
 */
export function createWebhookWorker(deps: WebhookWorkerDeps) {
  const { db, log } = deps;
  const stop = createStop();
  const running = new Map<number, Promise<void>>();
  /** Webhooks that were woken while they ran: they may have missed a new delivery. */
  const woken = new Set<number>();
  /** When a webhook may send again, in monotonic milliseconds. */
  const restsUntil = new Map<number, number>();
  let isStarted = false;
  let poll: ReturnType<typeof setInterval> | undefined;

  const run = async (id: number): Promise<void> => {
    try {
      do {
        woken.delete(id);
        const restMs = await sendDue(deps, id, stop);
        if (restMs > 0) restsUntil.set(id, performance.now() + restMs);
        if (restMs > 0) return;
      } while (woken.has(id));
    } catch (error) {
      restsUntil.set(id, performance.now() + FAULT_REST_MS);
      log.error('The outcome of a webhook delivery could not be recorded.', { webhook: id, error });
    }
  };

  const start = (id: number): Promise<void> => {
    const active = running.get(id);
    if (active) {
      woken.add(id);
      return active;
    }
    if (performance.now() < (restsUntil.get(id) ?? 0)) return Promise.resolve();
    restsUntil.delete(id);
    const started = run(id).finally(() => running.delete(id));
    running.set(id, started);
    return started;
  };

  const startAll = async (): Promise<void> => {
    const webhooks = await activeWebhooks(db.read, {});
    await Promise.all(webhooks.map(({ id }) => start(id)));
  };

  const wake = (): void => {
    if (!isStarted || stop.isRequested()) return;
    startAll().catch((error) => log.error('The webhook worker failed.', { error }));
  };

  return {
    wake,

    /** Sends what is due from now on. */
    start: (): void => {
      isStarted = true;
      poll = setInterval(wake, POLL_MS);
      poll.unref();
      wake();
    },

    /** Tries all due deliveries once. For tests and commands. */
    sendDue: startAll,

    /** Sends no more, and waits a short time for requests in flight. */
    stop: async (): Promise<void> => {
      clearInterval(poll);
      stop.request();
      const timer = setTimeout(stop.abort, STOP_PATIENCE_MS);
      await Promise.all(running.values());
      clearTimeout(timer);
    },
  };
}

type Stop = ReturnType<typeof createStop>;

/** A request to stop, and later the signal that aborts what is in flight. */
function createStop() {
  const controller = new AbortController();
  let isRequested = false;
  return {
    signal: controller.signal,
    isRequested: () => isRequested,
    request: () => {
      isRequested = true;
    },
    abort: () => controller.abort(),
  };
}

/** Sends what is due for one webhook. Returns the milliseconds for which it must rest; 0 for none. */
async function sendDue(deps: WebhookWorkerDeps, webhook_id: number, stop: Stop): Promise<number> {
  const { db, now } = deps;
  for (;;) {
    const webhook = await findWebhook(db.read, webhook_id);
    if (!webhook?.is_active || stop.isRequested()) return 0;
    const due = await dueDeliveries(db.read, { webhook_id, until: now().toISOString() });
    if (due.length === 0) return 0;
    const page = { isEnded: false, restMs: 0 };
    await sendPage(deps, webhook, due, page, stop);
    if (page.isEnded) return page.restMs;
  }
}

/** The progress of a page. */
interface PageState {
  isEnded: boolean;
  restMs: number;
}

async function sendPage(
  deps: WebhookWorkerDeps,
  webhook: WebhookRow,
  due: WebhookDelivery[],
  page: PageState,
  stop: Stop,
): Promise<void> {
  const rows = Map.groupBy(due, rowOf).values();
  const sendRows = async () => {
    // All places take from the same iterator.
    for (const deliveries of rows) {
      for (const delivery of deliveries) {
        if (page.isEnded || stop.isRequested()) return;
        await sendOne(deps, webhook, delivery, page, stop.signal);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, sendRows));
}

async function sendOne(
  { attempt, recordOutcome }: WebhookWorkerDeps,
  webhook: WebhookRow,
  delivery: WebhookDelivery,
  page: PageState,
  signal: AbortSignal,
): Promise<void> {
  try {
    const outcome = await attempt(webhook, delivery, signal);
    if (outcome.kind === 'succeeded' || outcome.kind === 'failed') {
      if (await recordOutcome(delivery, outcome)) page.isEnded = true;
      return;
    }
    page.isEnded = true;
    if (outcome.kind === 'postponed') page.restMs = Math.max(page.restMs, outcome.delayMs);
  } catch (error) {
    page.isEnded = true;
    throw error;
  }
}

/** Deliveries about the same row have the same key. */
function rowOf({ id, event_type, resource_id }: WebhookDelivery): string {
  if (resource_id === null) return `delivery ${id}`;
  return `${event_type.slice(0, event_type.indexOf('.'))} ${resource_id}`;
}

const dueDeliveries = prepare<{ webhook_id: number; until: string }, WebhookDelivery[]>((orm) =>
  orm
    .select()
    .from(webhookDeliveries)
    .where(
      and(
        eq(webhookDeliveries.webhook_id, sql.placeholder('webhook_id')),
        // A literal, so that the partial index applies.
        sql`${webhookDeliveries.state} = 'pending'`,
        lte(webhookDeliveries.next_attempt_at, sql.placeholder('until')),
      ),
    )
    .orderBy(asc(webhookDeliveries.next_attempt_at), asc(webhookDeliveries.id))
    .limit(PAGE),
);
