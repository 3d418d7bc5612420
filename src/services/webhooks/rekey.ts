import { and, eq } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { type SecretBox, SecretError } from '../../core/security/secret-box.ts';
import { type WebhookRow, webhooks } from '../../models/webhooks.ts';
import { webhooksAfter } from './rows.ts';
import { resealedSecrets } from './secrets.ts';

/** The outcome for the secrets of all webhooks, by id. */
export interface WebhookRekeyReport {
  resealed: number[];
  /** Webhooks whose secrets no known key opens. */
  unreadable: number[];
}

/** Seals all secrets of webhooks with the current key, one webhook per transaction. */
export const createWebhookRekey = ({ db, box }: { db: Db; box: SecretBox }) => ({
  run: async (): Promise<WebhookRekeyReport> => {
    const report: WebhookRekeyReport = { resealed: [], unreadable: [] };
    for (let id = 0; ; ) {
      const [row] = await webhooksAfter(db.read, id, 1);
      if (!row) return report;
      const outcome = await reseal(db, box, row);
      // A webhook that was changed meanwhile is processed again.
      if (outcome === 'changed') continue;
      id = row.id;
      if (outcome !== 'current') report[outcome].push(id);
    }
  },
});

type Outcome = keyof WebhookRekeyReport | 'current' | 'changed';

async function reseal(db: Db, box: SecretBox, row: WebhookRow): Promise<Outcome> {
  try {
    const secrets = await resealedSecrets(box, row);
    if (secrets === undefined) return 'current';
    return await db.write(async ({ orm }) => {
      const isUnchanged = and(eq(webhooks.id, row.id), eq(webhooks.secrets, row.secrets));
      const updated = await orm.update(webhooks).set({ secrets }).where(isUnchanged).returning();
      return updated.length > 0 ? 'resealed' : 'changed';
    });
  } catch (error) {
    if (error instanceof SecretError) return 'unreadable';
    throw error;
  }
}
