import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import { JobError } from '../../core/jobs/definition.ts';
import type { JobQueue } from '../../core/jobs/queue.ts';
import { type Mailer, MailRefused, type OutgoingMail } from '../../core/mail/mail.ts';
import { jitteredDelayMs } from '../../utils/time/backoff.ts';
import { HOUR_MS, MINUTE_MS } from '../../utils/time/units.ts';

/** A mail fails for good after this many attempts: at least 7 hours, while links are valid for 24. */
export const MAX_ATTEMPTS = 10;
/** The longest queue, including failed mails. */
const MAX_QUEUED = 10_000;
const MIN_WAIT_MS = MINUTE_MS;
const MAX_WAIT_MS = 6 * HOUR_MS;
/** Mails sent concurrently. */
const CONCURRENCY = 10;
/** Longer than the mailer's own limits. */
const TIMEOUT_MS = 5 * MINUTE_MS;

export interface MailsDeps {
  queue: Pick<JobQueue, 'define' | 'isBeyond'>;
  mailer: Pick<Mailer, 'send'>;
}

export type Mails = ReturnType<typeof createMails>;

/**
 * The mail queue: each committed mail is sent at least once. A waiting mail is sealed, because it may
 * contain a link; a sent mail is deleted, and a dead letter has only the recipient and the subject.
 */
export function createMails({ queue, mailer }: MailsDeps) {
  const enqueue = queue.define<OutgoingMail>({
    name: 'mail',
    run: (mail) => send(mailer, mail),
    maxAttempts: MAX_ATTEMPTS,
    backoffMs,
    concurrency: CONCURRENCY,
    timeoutMs: TIMEOUT_MS,
    isSecret: true,
    remainder: ({ to, subject }) => ({ to, subject }),
  });
  return {
    /**
     * Queues a mail in the caller's transaction. Throws overloaded if the queue is full, except for a
     * notice: its action must not fail.
     */
    enqueue: async (tx: Tx, mail: OutgoingMail, { isNotice = false } = {}): Promise<void> => {
      if (!isNotice && (await queue.isBeyond(tx, 'mail', MAX_QUEUED))) {
        throw new AppError('overloaded', 'The mail queue is full', { retryAfterSeconds: 60 });
      }
      await enqueue(tx, mail);
    },
  };
}

async function send(mailer: Pick<Mailer, 'send'>, mail: OutgoingMail): Promise<void> {
  try {
    await mailer.send(mail);
  } catch (error) {
    if (!(error instanceof MailRefused)) throw error;
    throw new JobError(error.message, { isFinal: true, cause: error });
  }
}

/** Half of the wait is fixed and half random: 10 attempts never take only minutes. */
function backoffMs(failures: number, random: () => number): number {
  const range = { retry: failures - 1, baseMs: MIN_WAIT_MS, maxMs: MAX_WAIT_MS / 2 };
  return jitteredDelayMs({ ...range, random: () => 1 }) + jitteredDelayMs({ ...range, random });
}
