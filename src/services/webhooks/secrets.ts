import { AppError } from '../../core/exceptions.ts';
import { type Sealer, type SecretBox, SecretError } from '../../core/security/secret-box.ts';
import type { WebhookRow } from '../../models/webhooks.ts';

/** A secret as stored. The current one never expires; earlier ones sign until they do. */
interface StoredSecret {
  sealed: string;
  expires_at: string | null;
}

/** Secrets that sign at once: the headers stay far below 8 KiB. */
const MAX_SECRETS = 10;

/** Binds a secret to its webhook: it cannot be opened for another one. */
function bindingOf(id: number): string {
  return JSON.stringify(['webhook', id]);
}

/** Reads the key, before a transaction. Throws secrets_unreadable. */
export function webhookSealer(box: SecretBox): Sealer {
  try {
    return box.sealer();
  } catch (error) {
    throw unreadable(error);
  }
}

/** Returns the column of a webhook whose only secret is `secret`. */
export function sealedSecret(seal: Sealer, id: number, secret: string): string {
  return JSON.stringify([{ sealed: seal(secret, bindingOf(id)), expires_at: null }]);
}

export interface Rotation {
  secret: string;
  at: Date;
  /** The time for which the replaced secret still signs. */
  overlapMs: number;
}

/** Returns the column after a rotation. Throws conflict after too many rotations in a short time. */
export function rotatedSecrets(
  seal: Sealer,
  { id, secrets }: Pick<WebhookRow, 'id' | 'secrets'>,
  { secret, at, overlapMs }: Rotation,
): string {
  const until = new Date(at.getTime() + overlapMs).toISOString();
  const earlier = validAt(secrets, at).map(({ sealed, expires_at }) => ({
    sealed,
    expires_at: expires_at !== null && expires_at < until ? expires_at : until,
  }));
  const kept = earlier.filter(({ expires_at }) => expires_at > at.toISOString());
  if (kept.length >= MAX_SECRETS) {
    throw new AppError('conflict', `The webhook has ${MAX_SECRETS} valid secrets already`);
  }
  return JSON.stringify([{ sealed: seal(secret, bindingOf(id)), expires_at: null }, ...kept]);
}

/** The secrets that sign at a time, the current one first. Throws secrets_unreadable. */
export async function openedSecrets(
  box: SecretBox,
  { id, secrets }: Pick<WebhookRow, 'id' | 'secrets'>,
  at: Date,
): Promise<string[]> {
  try {
    const sealed = validAt(secrets, at);
    return await Promise.all(sealed.map((it) => box.open(it.sealed, bindingOf(id))));
  } catch (error) {
    throw unreadable(error);
  }
}

/** Returns the column sealed with the current key; undefined if it is already. Throws SecretError. */
export async function resealedSecrets(
  box: SecretBox,
  { id, secrets }: Pick<WebhookRow, 'id' | 'secrets'>,
): Promise<string | undefined> {
  const stored = JSON.parse(secrets) as StoredSecret[];
  if (stored.every(({ sealed }) => box.isCurrent(sealed))) return undefined;
  const resealed = stored.map(async ({ sealed, expires_at }) => {
    const secret = await box.open(sealed, bindingOf(id));
    return { sealed: await box.seal(secret, bindingOf(id)), expires_at };
  });
  return JSON.stringify(await Promise.all(resealed));
}

function validAt(secrets: string, at: Date): StoredSecret[] {
  const now = at.toISOString();
  const stored = JSON.parse(secrets) as StoredSecret[];
  return stored.filter(({ expires_at }) => expires_at === null || expires_at > now);
}

/** The reason is in the cause, which only the log shows. */
function unreadable(error: unknown): unknown {
  if (!(error instanceof SecretError)) return error;
  const message = 'The secret of the webhook cannot be read or stored with the key of this server';
  return new AppError('secrets_unreadable', message, { cause: error });
}
