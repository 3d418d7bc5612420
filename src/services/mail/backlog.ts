import { and, gte, inArray, lte } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import { mails } from '../../models/index.ts';
import { DAY_MS, HOUR_MS } from '../../utils/time/units.ts';
import type { Job } from '../jobs.ts';

/** After this many failures a mail is given up: at least 7 hours, for links that live 24. */
export const MAX_ATTEMPTS = 10;
/** Mails that may wait, given-up ones too, while the mail server is away. */
const MAX_WAITING = 10_000;
/** How long an operator can see that a mail was given up. */
const KEPT_MS = 30 * DAY_MS;
const EVERY_MS = HOUR_MS;
const BATCH = 250;

/** Deletes mails that were given up 30 days ago. */
export const createMailPurge = ({ db, now }: { db: Db; now(): Date }): Job => ({
  name: 'mail purge',
  everyMs: EVERY_MS,
  run: async () => {
    const until = new Date(now().getTime() - KEPT_MS).toISOString();
    const isDue = and(lte(mails.next_attempt_at, until), gte(mails.attempts, MAX_ATTEMPTS));
    const due = await db.read.orm.select({ id: mails.id }).from(mails).where(isDue).limit(BATCH);
    if (due.length === 0) return false;
    const ids = due.map(({ id }) => id);
    await db.write(async ({ orm }) => {
      await orm.delete(mails).where(inArray(mails.id, ids));
    });
    return due.length === BATCH;
  },
});

/** Throws overloaded when too many mails wait. */
export async function refuseMany({ orm }: Tx): Promise<void> {
  const oneMore = orm.select({ id: mails.id }).from(mails).limit(1).offset(MAX_WAITING);
  if ((await oneMore).length === 0) return;
  throw new AppError('overloaded', 'Too many mails wait to be sent', { retryAfterSeconds: 60 });
}
