import { asc, gt, lte } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { auditLog } from '../../models/index.ts';
import { DAY_MS, HOUR_MS } from '../../utils/time/units.ts';
import type { Job } from '../jobs.ts';

const EVERY_MS = HOUR_MS;
/** Entries in one transaction. */
const BATCH = 250;

export interface AuditRetentionDeps {
  db: Db;
  config: { auditDays: number };
  now(): Date;
}

/** Deletes the oldest entries of the audit log; triggers refuse those of the last 30 days. */
export const createAuditRetention = ({ db, config, now }: AuditRetentionDeps): Job => ({
  name: 'audit retention',
  everyMs: EVERY_MS,
  run: async () => {
    const until = new Date(now().getTime() - config.auditDays * DAY_MS).toISOString();
    const { id, at } = auditLog;
    const oldest = await db.read.orm
      .select({ id, at })
      .from(auditLog)
      .where(gt(id, 0))
      .orderBy(asc(id))
      .limit(BATCH + 1);
    const due = oldest.findIndex((entry) => entry.at >= until);
    const count = Math.min(due < 0 ? oldest.length : due, BATCH);
    const last = oldest[count - 1];
    if (!last) return false;
    await db.write(async (tx) => {
      await tx.orm.delete(auditLog).where(lte(id, last.id));
    });
    return count === BATCH;
  },
});
