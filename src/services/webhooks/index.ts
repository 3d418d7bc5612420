import type { Base } from '../../core/base.ts';
import type { Audit } from '../audit/audit.ts';
import type { MailServices } from '../mail/index.ts';
import { createAttempt } from './attempt.ts';
import { createWebhookCleanup } from './cleanup.ts';
import { createWebhookDeliveries } from './deliveries.ts';
import { createDisable } from './disable.ts';
import { createDocuments, type DocumentSource } from './documents.ts';
import type { WebhookEvents } from './events.ts';
import { createRecordOutcome } from './outcomes.ts';
import { createWebhookRekey } from './rekey.ts';
import { createWebhooks } from './webhooks.ts';
import { createWebhookWorker } from './worker.ts';

export interface WebhookServicesDeps
  extends Base,
    Pick<MailServices, 'mails' | 'templates' | 'limits'> {
  audit: Audit;
  resources: Iterable<DocumentSource>;
  webhookEvents: WebhookEvents;
}

/** The services of webhooks: receivers of events that admins define. */
export function createWebhookServices(deps: WebhookServicesDeps) {
  const { config, db, box, webhookEvents } = deps;
  const hosts = { allowHosts: config.externalAllowHosts, onlyHosts: config.externalOnlyHosts };
  const documents = createDocuments(db, deps.resources);
  const disable = createDisable({ ...deps, onChanged: webhookEvents.invalidate });
  const attempt = createAttempt({ ...deps, documents });
  const recordOutcome = createRecordOutcome({ ...deps, disable });
  const worker = createWebhookWorker({ ...deps, attempt, recordOutcome });
  const onChanged = () => {
    webhookEvents.invalidate();
    worker.wake();
  };
  webhookEvents.onRecorded(worker.wake);
  return {
    jobs: [createWebhookCleanup({ ...deps, disable })],
    webhooks: createWebhooks({
      ...deps,
      rules: { hosts, resources: Object.keys(documents) },
      onChanged,
    }),
    webhookDeliveries: createWebhookDeliveries({ ...deps, onQueued: worker.wake }),
    webhookWorker: worker,
    webhookRekey: createWebhookRekey({ db, box }),
  };
}
