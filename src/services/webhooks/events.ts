import { sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { type WebhookDelivery, webhookDeliveries } from '../../models/webhooks.ts';
import { type EventType, wants } from './event-types.ts';
import { activeWebhooks } from './rows.ts';

/** A change of a row that any admin may see. */
export interface RowEvent {
  type: EventType;
  id: number;
  /** Null if the resource has no versions. */
  version: number | null;
}

/**
 * Records an event in the transaction of its change. Costs a comparison if no webhook listens. Never
 * call it for a row that admins may not see.
 */
export type NotifyWebhooks = (tx: Tx, event: RowEvent) => Promise<void> | undefined;

export type WebhookEvents = ReturnType<typeof createWebhookEvents>;

export interface WebhookEventsDeps {
  db: Db;
  now(): Date;
}

/** Other processes, such as an import, notice a new webhook after this time. */
const KNOWN_MS = 1_000;

interface KnownListeners {
  listeners: { id: number; patterns: string[] }[];
  untilMs: number;
}

/** Records the events that webhooks listen to as deliveries. */
export function createWebhookEvents({ db, now }: WebhookEventsDeps) {
  let known: KnownListeners | undefined;
  /** The events of each transaction: two changes of an account at once are one event. */
  const recorded = new WeakMap<Tx, Set<string>>();
  let onRecorded = () => {};

  const isKnown = () => known !== undefined && performance.now() < known.untilMs;
  const listenersTo = (type: string) =>
    known?.listeners.filter(({ patterns }) => wants(patterns, type)) ?? [];

  const record = async (tx: Tx, event: RowEvent): Promise<void> => {
    // From the reader: webhooks of this transaction may never be committed.
    if (!isKnown()) known = await committedListeners(db);
    const listeners = listenersTo(event.type);
    if (listeners.length === 0 || isRepeated(recorded, tx, event)) return;
    const row = deliveryOf(event, now().toISOString());
    for (const { id } of listeners) await insertDelivery(tx, { ...row, webhook_id: id });
    tx.afterCommit(() => onRecorded());
  };

  return {
    notify: ((tx, event) =>
      isKnown() && listenersTo(event.type).length === 0
        ? undefined
        : record(tx, event)) satisfies NotifyWebhooks,

    /** Forgets which events are wanted: call it after a webhook was changed. */
    invalidate: (): void => {
      known = undefined;
    },

    /** Registers the function that is called after events were committed. */
    onRecorded: (listener: () => void): void => {
      onRecorded = listener;
    },
  };
}

/** True if the transaction has recorded this event before. */
function isRepeated(
  recorded: WeakMap<Tx, Set<string>>,
  tx: Tx,
  { type, id, version }: RowEvent,
): boolean {
  const events = recorded.get(tx) ?? new Set();
  recorded.set(tx, events);
  const { size } = events;
  return events.add(`${type} ${id} ${version}`).size === size;
}

async function committedListeners({ read }: Db): Promise<KnownListeners> {
  const untilMs = performance.now() + KNOWN_MS;
  const rows = await activeWebhooks(read, {});
  const listeners = rows.map(({ id, events }) => ({
    id,
    patterns: JSON.parse(events) as string[],
  }));
  return { listeners, untilMs };
}

function deliveryOf({ type, id, version }: RowEvent, at: string): Omit<NewDelivery, 'webhook_id'> {
  return {
    event_id: newEventId(),
    event_type: type,
    resource_id: id,
    resource_version: version,
    event_at: at,
    replay_of: null,
    created_at: at,
    next_attempt_at: at,
  };
}

/** Returns a random id; its start grows with the time. */
export function newEventId(): string {
  return `evt_${Bun.randomUUIDv7('hex').replaceAll('-', '')}`;
}

/** The columns of a delivery that is due. */
export type NewDelivery = Pick<
  WebhookDelivery,
  | 'webhook_id'
  | 'event_id'
  | 'event_type'
  | 'resource_id'
  | 'resource_version'
  | 'event_at'
  | 'replay_of'
  | 'created_at'
  | 'next_attempt_at'
>;

export const insertDelivery = prepare<NewDelivery, WebhookDelivery[]>((orm) =>
  orm
    .insert(webhookDeliveries)
    .values({
      webhook_id: sql.placeholder('webhook_id'),
      event_id: sql.placeholder('event_id'),
      event_type: sql.placeholder('event_type'),
      resource_id: sql.placeholder('resource_id'),
      resource_version: sql.placeholder('resource_version'),
      event_at: sql.placeholder('event_at'),
      replay_of: sql.placeholder('replay_of'),
      created_at: sql.placeholder('created_at'),
      next_attempt_at: sql.placeholder('next_attempt_at'),
      state: 'pending',
    })
    .returning(),
);
