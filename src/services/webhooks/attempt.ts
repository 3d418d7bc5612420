import { AppError } from '../../core/exceptions.ts';
import type { Outbound, OutboundRequest } from '../../core/outbound/client.ts';
import { OutboundError } from '../../core/outbound/errors.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import type { WebhookDelivery, WebhookRow } from '../../models/webhooks.ts';
import { bodyOf, type Documents } from './documents.ts';
import { openedSecrets } from './secrets.ts';
import { signedHeaders } from './signature.ts';

/** The outcome of one attempt. */
export type Outcome =
  | { kind: 'succeeded'; status: number; durationMs: number }
  | {
      kind: 'failed';
      /** The status of the response; null without one. */
      status: number | null;
      durationMs: number;
      /** The reason, without a secret, a path or a resolved address. */
      error: string;
      /** The delay that the receiver requests. */
      retryAfterMs: number | undefined;
    }
  /** Nothing was sent, because the host fails or the server is busy. */
  | { kind: 'postponed'; delayMs: number }
  /** The server is stopping; the receiver may have the event. */
  | { kind: 'aborted' };

export interface AttemptDeps {
  box: SecretBox;
  outbound: Pick<Outbound, 'call'>;
  documents: Documents;
  now(): Date;
}

/** A receiver must answer within this time; it should queue the event and do the work later. */
const TIMEOUT_MS = 15_000;
/** Concurrent requests to one host, of all webhooks. */
const MAX_PER_HOST = 8;
/** Spares a host that is down: one request in 10 seconds finds out when it is back. */
const BREAKER = { failures: 5, openMs: 10_000 };
const POSTPONED_MS = 1_000;

/** Creates a function that sends a delivery once. It rejects only for a fault of the database. */
export function createAttempt({ box, outbound, documents, now }: AttemptDeps) {
  return async (
    webhook: WebhookRow,
    delivery: WebhookDelivery,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    try {
      const secrets = await openedSecrets(box, webhook, now());
      const body = await bodyOf(delivery, documents);
      const timestamp = Math.floor(now().getTime() / 1000);
      const headers = signedHeaders(secrets, { id: delivery.event_id, timestamp, body });
      const reply = await outbound.call({ ...requestOf(webhook), headers, body, signal });
      return { kind: 'succeeded', status: reply.status, durationMs: Math.ceil(reply.elapsedMs) };
    } catch (error) {
      return outcomeOf(error);
    }
  };
}

function requestOf({ id, url }: WebhookRow): OutboundRequest {
  return {
    url,
    method: 'POST',
    timeoutMs: TIMEOUT_MS,
    maxPerHost: MAX_PER_HOST,
    // A signed event goes to the URL that the admin entered and nowhere else.
    maxRedirects: 0,
    ignoresBody: true,
    breaker: BREAKER,
    owner: `webhook ${id}`,
  };
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof AppError && error.code === 'secrets_unreadable') {
    const { message } = error;
    return { kind: 'failed', status: null, durationMs: 0, error: message, retryAfterMs: undefined };
  }
  if (!(error instanceof OutboundError)) throw error;
  const { code, message, status = null, elapsedMs, retryAfterMs } = error;
  if (code === 'aborted') return { kind: 'aborted' };
  if (code === 'circuit_open' || code === 'overloaded') {
    return { kind: 'postponed', delayMs: Math.max(retryAfterMs ?? 0, POSTPONED_MS) };
  }
  const durationMs = Math.ceil(elapsedMs);
  return { kind: 'failed', status, durationMs, error: message, retryAfterMs };
}
