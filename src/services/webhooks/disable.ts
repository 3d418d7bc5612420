import { and, asc, eq } from 'drizzle-orm';
import { SYSTEM } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Log } from '../../core/log.ts';
import { isNotRemoved, users } from '../../models/users.ts';
import type { WebhookRow } from '../../models/webhooks.ts';
import type { Audit } from '../audit/audit.ts';
import type { MailLimits } from '../mail/limits.ts';
import type { Mails } from '../mail/queue.ts';
import type { MailTemplates } from '../mail/templates.ts';
import { getWebhook, updateWebhook } from './rows.ts';

export interface DisableDeps {
  audit: Audit;
  mails: Pick<Mails, 'enqueue'>;
  templates: Pick<MailTemplates, 'webhookDisabled'>;
  limits: Pick<MailLimits, 'countNotice'>;
  log: Log;
  now(): Date;
  /** Called after a webhook was disabled. */
  onChanged(): void;
}

export type DisabledReason = NonNullable<WebhookRow['disabled_reason']>;
export type Disable = (tx: Tx, id: number, reason: DisabledReason) => Promise<void>;

/** The admins who are notified. */
const MAX_ADMINS = 20;

/** Creates a function that disables an active webhook, records it and notifies the admins. */
export function createDisable(deps: DisableDeps): Disable {
  const { audit, log, now, onChanged } = deps;
  return async (tx, id, reason) => {
    const { url, version } = await getWebhook(tx, id);
    const set = { is_active: false, disabled_reason: reason, updated_at: now().toISOString() };
    await updateWebhook(tx, id, { ...set, version: version + 1 });
    const details = { webhook: id, reason };
    await audit.record(tx, SYSTEM, { action: 'webhook.disabled', user_id: null, details });
    await notifyAdmins(deps, tx, new URL(url).host, reason);
    tx.afterCommit(() => {
      onChanged();
      log.warn('A webhook was disabled.', details);
    });
  };
}

async function notifyAdmins(
  { mails, templates, limits }: DisableDeps,
  tx: Tx,
  host: string,
  reason: DisabledReason,
): Promise<void> {
  const isAdmin = and(eq(users.role, 'admin'), eq(users.is_active, true), isNotRemoved(users.id));
  const all = tx.orm.select().from(users).where(isAdmin);
  for (const user of await all.orderBy(asc(users.id)).limit(MAX_ADMINS)) {
    if (!limits.countNotice(user)) continue;
    const mail = templates.webhookDisabled(user.email, { host, reason });
    await mails.enqueue(tx, mail, { isNotice: true });
  }
}
