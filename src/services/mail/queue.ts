import { and, asc, eq, gte, inArray, lt, lte, min } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Log } from '../../core/log.ts';
import { type Mailer, MailRefused, type OutgoingMail } from '../../core/mail/mail.ts';
import { type Mail, mails } from '../../models/mails.ts';
import { jitteredDelayMs } from '../../utils/time/backoff.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../utils/time/units.ts';
import type { Job } from '../jobs.ts';

/** A mail fails for good after this many attempts: at least 7 hours, while links are valid for 24. */
export const MAX_ATTEMPTS = 10;
/** The longest queue, including failed mails. */
const MAX_QUEUED = 10_000;
/** Failed mails that are stored for the operator to see. */
const RETENTION_MS = 30 * DAY_MS;
const PURGE_BATCH = 250;
const MIN_WAIT_MS = MINUTE_MS;
const MAX_WAIT_MS = 6 * HOUR_MS;
/** Mails sent concurrently. */
const BATCH = 10;
const MAX_ERROR = 500;
/** Bounds the sleep of the queue if the clock is set back. */
const MAX_SLEEP_MS = HOUR_MS;
/** The time a stop waits for mails in flight; they are sent again after the next start. */
const STOP_PATIENCE_MS = 5_000;

export interface MailsDeps {
  db: Db;
  mailer: Mailer;
  log: Log;
  now(): Date;
  random?: () => number;
  /** Runs `wake` once after `delayMs`. Returns a function that cancels it. */
  setTimer?: (wake: () => void, delayMs: number) => () => void;
}

export type Mails = ReturnType<typeof createMails>;

interface Worker {
  state: 'idle' | 'started' | 'stopped';
  running: Promise<void> | undefined;
  /** True if the worker was woken while it ran: it may have missed a new mail. */
  again: boolean;
  /** Mails that were sent but could not be deleted: they must not be sent again. */
  sent: Set<number>;
  cancelTimer: () => void;
}

/**
 * The mail queue, stored in the database: each committed mail is sent at least once, even after a
 * crash. There is one worker. A sent mail is deleted, and its link with it.
 */
export function createMails(deps: MailsDeps) {
  const worker: Worker = {
    state: 'idle',
    running: undefined,
    again: false,
    sent: new Set(),
    cancelTimer: () => {},
  };
  return {
    /**
     * Queues a mail in the caller's transaction; the worker wakes when that commits. Throws
     * overloaded if the queue is full, except for a notice: its action must not fail.
     */
    enqueue: async (
      tx: Tx,
      { to, ...mail }: OutgoingMail,
      { isNotice = false } = {},
    ): Promise<void> => {
      if (!isNotice) await requireRoom(tx);
      const created_at = deps.now().toISOString();
      const row = { ...mail, recipient: to, created_at, attempts: 0, next_attempt_at: created_at };
      await tx.orm.insert(mails).values(row);
      tx.afterCommit(() => wake(deps, worker));
    },

    /** Starts to send the queued mails and new ones. */
    start: (): void => {
      worker.state = 'started';
      wake(deps, worker);
    },

    /** Tries to send all due mails once. For tests and commands. */
    sendDue: (): Promise<void> => runOnce(deps, worker),

    /** Deletes mails that failed 30 days ago. */
    job: createPurge(deps),

    /** Stops sending, and waits a short time for mails in flight. */
    stop: async (): Promise<void> => {
      worker.state = 'stopped';
      worker.cancelTimer();
      await waitBriefly(worker.running);
      deps.mailer.close();
      await worker.running?.catch(() => {});
    },
  };
}

function wake(deps: MailsDeps, worker: Worker): void {
  if (worker.state !== 'started') return;
  if (worker.running) {
    worker.again = true;
    return;
  }
  runOnce(deps, worker)
    .then(() => sleep(deps, worker))
    .catch((error) => {
      if (worker.state !== 'started') return;
      deps.log.error('The mail queue failed.', { error });
      setWake(deps, worker, MIN_WAIT_MS);
    });
}

function runOnce(deps: MailsDeps, worker: Worker): Promise<void> {
  worker.running ??= sendAllDue(deps, worker).finally(() => {
    worker.running = undefined;
  });
  return worker.running;
}

async function sendAllDue(deps: MailsDeps, worker: Worker): Promise<void> {
  do {
    worker.again = false;
    const due = await dueMails(deps);
    const tries = await Promise.allSettled(due.map((mail) => sendOne(deps, worker, mail)));
    const failed = tries.find((it) => it.status === 'rejected');
    if (failed) throw failed.reason;
    if (due.length > 0) worker.again = true;
  } while (worker.again && worker.state !== 'stopped');
}

function dueMails({ db, now }: MailsDeps): Promise<Mail[]> {
  const isDue = and(
    lte(mails.next_attempt_at, now().toISOString()),
    lt(mails.attempts, MAX_ATTEMPTS),
  );
  const all = db.read.orm.select().from(mails).where(isDue);
  return all.orderBy(asc(mails.next_attempt_at), asc(mails.id)).limit(BATCH).execute();
}

async function sendOne(deps: MailsDeps, worker: Worker, mail: Mail): Promise<void> {
  const { id, recipient: to, subject, text, html } = mail;
  try {
    if (!worker.sent.has(id)) await deps.mailer.send({ to, subject, text, html });
  } catch (error) {
    // A stop aborts mails in flight; they are due again at the next start.
    if (worker.state !== 'stopped') await recordFailure(deps, mail, error);
    return;
  }
  worker.sent.add(id);
  await deps.db.write(async ({ orm }) => {
    await orm.delete(mails).where(eq(mails.id, id));
  });
  worker.sent.delete(id);
}

async function recordFailure(deps: MailsDeps, { id, attempts: before }: Mail, error: unknown) {
  const { db, log, now, random = Math.random } = deps;
  const attempts = before + 1;
  const isGivenUp = attempts >= MAX_ATTEMPTS || error instanceof MailRefused;
  const last_error = (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR);
  const range = { retry: before, baseMs: MIN_WAIT_MS, maxMs: MAX_WAIT_MS / 2 };
  // Half of the wait is fixed and half random: 10 attempts never take only minutes.
  const fixedMs = jitteredDelayMs({ ...range, random: () => 1 });
  const waitMs = fixedMs + jitteredDelayMs({ ...range, random });
  const next_attempt_at = new Date(now().getTime() + waitMs).toISOString();
  // The mail is stored for the operator to see, without its link.
  const body = isGivenUp ? { text: '', html: '' } : {};
  await db.write(async ({ orm }) => {
    const spent = isGivenUp ? MAX_ATTEMPTS : attempts;
    const set = { attempts: spent, next_attempt_at, last_error, ...body };
    await orm.update(mails).set(set).where(eq(mails.id, id));
  });
  if (isGivenUp) log.error('A mail was given up.', { id, attempts, reason: last_error });
  else
    log.warn('A mail could not be sent; it is retried.', {
      id,
      attempts,
      next_attempt_at,
      reason: last_error,
    });
}

async function sleep(deps: MailsDeps, worker: Worker): Promise<void> {
  if (worker.state !== 'started') return;
  const next = deps.db.read.orm.select({ at: min(mails.next_attempt_at) }).from(mails);
  const [first] = await next.where(lt(mails.attempts, MAX_ATTEMPTS));
  if (first?.at) setWake(deps, worker, Date.parse(first.at) - deps.now().getTime());
}

function setWake(deps: MailsDeps, worker: Worker, waitMs: number): void {
  const { setTimer = setUnrefTimer } = deps;
  worker.cancelTimer();
  const delayMs = Math.min(Math.max(waitMs, 1000), MAX_SLEEP_MS);
  worker.cancelTimer = setTimer(() => wake(deps, worker), delayMs);
}

function setUnrefTimer(wakeUp: () => void, delayMs: number): () => void {
  const timer = setTimeout(wakeUp, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}

async function waitBriefly(running: Promise<void> | undefined): Promise<void> {
  if (!running) return;
  let cancel = () => {};
  const timeout = new Promise<void>((resolve) => {
    cancel = setUnrefTimer(resolve, STOP_PATIENCE_MS);
  });
  await Promise.race([running.catch(() => {}), timeout]);
  cancel();
}

/** Throws overloaded if the queue is full. */
async function requireRoom({ orm }: Tx): Promise<void> {
  const oneMore = orm.select({ id: mails.id }).from(mails).limit(1).offset(MAX_QUEUED);
  if ((await oneMore).length === 0) return;
  throw new AppError('overloaded', 'The mail queue is full', { retryAfterSeconds: 60 });
}

const createPurge = ({ db, now }: MailsDeps): Job => ({
  name: 'mail purge',
  everyMs: HOUR_MS,
  run: async () => {
    const until = new Date(now().getTime() - RETENTION_MS).toISOString();
    const isDue = and(lte(mails.next_attempt_at, until), gte(mails.attempts, MAX_ATTEMPTS));
    const due = db.read.orm.select({ id: mails.id }).from(mails).where(isDue).limit(PURGE_BATCH);
    const ids = (await due).map(({ id }) => id);
    if (ids.length === 0) return false;
    await db.write(async ({ orm }) => {
      await orm.delete(mails).where(inArray(mails.id, ids));
    });
    return ids.length === PURGE_BATCH;
  },
});
