import { and, asc, eq, lt, lte, min } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Log } from '../../core/log.ts';
import { type Mailer, MailRefused, type OutgoingMail } from '../../core/mail/mail.ts';
import { type Mail, mails } from '../../models/index.ts';
import { jitteredDelayMs } from '../../utils/time/backoff.ts';
import { HOUR_MS, MINUTE_MS } from '../../utils/time/units.ts';
import { MAX_ATTEMPTS, refuseMany } from './backlog.ts';

const MIN_WAIT_MS = MINUTE_MS;
const MAX_WAIT_MS = 6 * HOUR_MS;
/** Mails that are handed over at once. */
const BATCH = 10;
const MAX_ERROR = 500;
/** A clock that was put back must not let the queue sleep for years. */
const MAX_SLEEP_MS = HOUR_MS;
/** How long a stop waits for mails under way; they are sent again after the next start. */
const STOP_PATIENCE_MS = 5_000;

export interface MailsDeps {
  db: Db;
  mailer: Mailer;
  log: Log;
  now(): Date;
  random?: () => number;
  /** Runs `wake` once after `delayMs` and gives what takes that back. */
  setTimer?: (wake: () => void, delayMs: number) => () => void;
}

export type Mails = ReturnType<typeof createMails>;

interface Worker {
  state: 'idle' | 'started' | 'stopped';
  running: Promise<void> | undefined;
  /** Woken while it ran: what came may have been missed. */
  again: boolean;
  /** Sent, but not yet deleted because that failed: must not be sent again. */
  sent: Set<number>;
  cancelTimer: () => void;
}

/**
 * The queue of mails, in the database: what was committed is sent at least once, whatever ends
 * the process. One worker at a time; a mail that was sent is deleted, its link with it.
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
     * overloaded when too many wait, but for a notice: what it tells of must not fail.
     */
    enqueue: async (
      tx: Tx,
      { to, ...mail }: OutgoingMail,
      { isNotice = false } = {},
    ): Promise<void> => {
      if (!isNotice) await refuseMany(tx);
      const created_at = deps.now().toISOString();
      const row = { ...mail, recipient: to, created_at, attempts: 0, next_attempt_at: created_at };
      await tx.orm.insert(mails).values(row);
      tx.afterCommit(() => wake(deps, worker));
    },

    /** Begins to send: what waits already, and from now on what comes. */
    start: (): void => {
      worker.state = 'started';
      wake(deps, worker);
    },

    /** Sends what is due now, once, and resolves when that was tried. For tests and commands. */
    sendDue: (): Promise<void> => runOnce(deps, worker),

    /** Stops sending; waits a little for what is under way. */
    stop: async (): Promise<void> => {
      worker.state = 'stopped';
      worker.cancelTimer();
      await patiently(worker.running);
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
    // At a stop it is we who broke it off: it is due again at the next start.
    if (worker.state !== 'stopped') await noteFailure(deps, mail, error);
    return;
  }
  worker.sent.add(id);
  await deps.db.write(async ({ orm }) => {
    await orm.delete(mails).where(eq(mails.id, id));
  });
  worker.sent.delete(id);
}

async function noteFailure(deps: MailsDeps, { id, attempts: before }: Mail, error: unknown) {
  const { db, log, now, random = Math.random } = deps;
  const attempts = before + 1;
  const isGivenUp = attempts >= MAX_ATTEMPTS || error instanceof MailRefused;
  const last_error = (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR);
  const range = { retry: before, baseMs: MIN_WAIT_MS, maxMs: MAX_WAIT_MS / 2 };
  // Half of it is sure and half by chance: 10 attempts are never spent within minutes.
  const sureMs = jitteredDelayMs({ ...range, random: () => 1 });
  const waitMs = sureMs + jitteredDelayMs({ ...range, random });
  const next_attempt_at = new Date(now().getTime() + waitMs).toISOString();
  // What is given up is kept for the operator to see, but not the link in it.
  const body = isGivenUp ? { text: '', html: '' } : {};
  await db.write(async ({ orm }) => {
    const spent = isGivenUp ? MAX_ATTEMPTS : attempts;
    const set = { attempts: spent, next_attempt_at, last_error, ...body };
    await orm.update(mails).set(set).where(eq(mails.id, id));
  });
  if (isGivenUp) log.error('A mail was given up.', { id, attempts, reason: last_error });
  else
    log.warn('A mail could not be sent yet.', {
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

async function patiently(running: Promise<void> | undefined): Promise<void> {
  if (!running) return;
  let cancel = () => {};
  const patience = new Promise<void>((resolve) => {
    cancel = setUnrefTimer(resolve, STOP_PATIENCE_MS);
  });
  await Promise.race([running.catch(() => {}), patience]);
  cancel();
}
