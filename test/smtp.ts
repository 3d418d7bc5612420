import type { AddressInfo } from 'node:net';
import {
  SMTPServer,
  type SMTPServerDataStream,
  type SMTPServerOptions,
  type SMTPServerSession,
} from 'smtp-server';
import type { OutgoingMail } from '../src/core/mail/mail.ts';
import type { TestApp } from './support.ts';

export interface Received {
  from: string;
  to: string[];
  isSecure: boolean;
  /** The raw message. */
  raw: string;
}

export interface SmtpOptions extends SMTPServerOptions {
  /** Called with each mail; throws to refuse it, and may wait. */
  take?: (mail: Received) => void | Promise<void>;
}

/** A real SMTP server on a free port: `await using smtp = await smtpServer()`. */
export async function smtpServer({ take, ...options }: SmtpOptions = {}) {
  const received: Received[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    allowInsecureAuth: true,
    onData: (stream, session, done) => {
      read(stream, session)
        .then(async (mail) => {
          await take?.(mail);
          received.push(mail);
        })
        .then(() => done(), done);
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    received,
    port,
    url: `smtp://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

async function read(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<Received> {
  const raw = Buffer.concat(await Array.fromAsync(stream)).toString();
  const { mailFrom, rcptTo } = session.envelope;
  const from = mailFrom === false ? '' : mailFrom.address;
  const to = rcptTo.map(({ address }) => address);
  return { from, to, isSecure: session.secure, raw };
}

export interface Queued {
  recipient: string;
  subject: string;
  text: string;
  html: string;
}

/** The mails that wait, in the order in which they were queued. */
export async function queued(t: TestApp): Promise<Queued[]> {
  const { db, passwordRecovery, queue } = t.deps;
  await passwordRecovery.idle();
  const rows = db.client
    .query(`select name, payload from jobs where name = 'mail' and state <> 'dead' order by id`)
    .all() as { name: string; payload: string }[];
  const mails = await Promise.all(rows.map((row) => queue.payloadOf(row) as Promise<OutgoingMail>));
  return mails.map(({ to: recipient, ...mail }) => ({ recipient, ...mail }));
}

/** The token of the last mail to `recipient`. */
export async function mailedToken(t: TestApp, recipient: string): Promise<string> {
  const mail = (await queued(t)).findLast((it) => it.recipient === recipient);
  return tokenIn(mail?.text ?? '');
}

export function tokenIn(text: string): string {
  return text.match(/#token=([\w-]{43})\b/)?.[1] ?? 'none';
}
