import { createHmac } from 'node:crypto';

/** The content that a signature covers. */
export interface SignedMessage {
  /** The id of the event. */
  id: string;
  /** Seconds since the epoch: the time of the attempt. */
  timestamp: number;
  body: string;
}

const PREFIX = 'whsec_';
const SECRET = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/;
/** Sizes of a key in bytes, as Standard Webhooks prescribes. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;
const NEW_BYTES = 32;

/** Returns a new random secret in the form of Standard Webhooks. */
export function newSecret(): string {
  const key = crypto.getRandomValues(new Uint8Array(NEW_BYTES));
  return PREFIX + Buffer.from(key).toString('base64');
}

/** True for `whsec_` and the base64 of 24 to 64 bytes. */
export function isSecret(text: string): boolean {
  const base64 = SECRET.exec(text)?.[1];
  if (base64 === undefined) return false;
  const { length } = Buffer.from(base64, 'base64');
  return length >= MIN_BYTES && length <= MAX_BYTES;
}

/**
 * Returns the headers of a message, signed with each of `secrets` (https://www.standardwebhooks.com):
 * a receiver accepts it if it knows one of them.
 */
export function signedHeaders(
  secrets: readonly string[],
  message: SignedMessage,
): Record<string, string> {
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(message.timestamp),
    'webhook-signature': secrets.map((secret) => signatureOf(secret, message)).join(' '),
  };
}

function signatureOf(secret: string, { id, timestamp, body }: SignedMessage): string {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const hash = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return `v1,${hash}`;
}
