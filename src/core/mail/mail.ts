import type SMTPPool from 'nodemailer/lib/smtp-pool';
import { isLoopbackHost } from '../../utils/http/loopback.ts';
import { parseMailbox } from '../../utils/text/email.ts';
import { StartupError } from '../exceptions.ts';
import type { Log } from '../log.ts';
import type { Lookup } from '../outbound/lookup.ts';
import { createOutbox } from './outbox.ts';
import { isFinal, MailRefused, needsUtf8, requireUtf8 } from './refused.ts';
import { createMailSockets } from './sockets.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 20_000;
const MAX_CONNECTIONS = 3;

/** A mail, for people and for machines that show no HTML. */
export interface OutgoingMail {
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** Hands mail over. Not a queue: services/mails.ts is. */
export interface Mailer {
  /**
   * Resolves once the mail is in other hands; rejects with why it is not, with MailRefused if
   * another attempt cannot help.
   */
  send(mail: OutgoingMail): Promise<void>;
  /** Ends all connections; a mail that is under way rejects. */
  close(): void;
}

export interface MailerOptions {
  /**
   * smtp://user:password@host:587 or smtps://…; empty: mail becomes files in data/outbox. A host
   * that is not this machine must offer TLS, unless the URL ends with ?requireTLS=false.
   */
  smtpUrl: string;
  /** One mailbox; `appName` is its name if it has none. */
  from: string;
  appName: string;
  dataDir: string;
  log: Log;
  /** Finds the addresses of the server; it may be private. */
  lookup: Lookup;
  now?(): Date;
}

/** Mail by SMTP, or without a server as files. Throws StartupError for a URL that is not SMTP. */
export function createMailer(options: MailerOptions): Mailer {
  const { smtpUrl, lookup, from, appName, ...rest } = options;
  const envelope = headersOf(from, appName);
  return smtpUrl === ''
    ? createOutbox({ ...rest, envelope })
    : createSmtp(smtpUrl, envelope, lookup);
}

/** What every mail has: who sent it, and that a program did (RFC 3834 5). */
export type MailHeaders = ReturnType<typeof headersOf>;

function headersOf(from: string, appName: string) {
  const mailbox = parseMailbox(from);
  if (!mailbox) throw new StartupError('HUTCH_MAIL_FROM must be one address');
  const { name, address } = mailbox;
  return {
    // As objects: texts would be read as lists of addresses.
    from: { name: name || appName, address },
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

function createSmtp(url: string, envelope: MailHeaders, lookup: Lookup): Mailer {
  // The URL holds a password: it is not in the message.
  if (!/^smtps?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new StartupError('HUTCH_SMTP_URL must be smtp://… or smtps://…');
  }
  const sockets = createMailSockets({ timeoutMs: CONNECT_TIMEOUT_MS, lookup });
  let transport: ReturnType<typeof openTransport> | undefined;
  return {
    send: async ({ to, ...mail }) => {
      transport ??= openTransport(url, sockets);
      const opened = await transport;
      const addresses = [to, envelope.from.address];
      if (addresses.some(needsUtf8)) await requireUtf8(opened.transporter as SMTPPool);
      const recipient = { name: '', address: to };
      await opened.sendMail({ ...envelope, to: recipient, ...mail }).catch((error: Error) => {
        throw isFinal(error) ? new MailRefused(error.message, { cause: error }) : error;
      });
    },
    close: () => {
      void transport?.then((it) => it.close());
      sockets.destroy();
    },
  };
}

/** Reads the library at the first mail: most starts send none. */
async function openTransport(url: string, { getSocket }: ReturnType<typeof createMailSockets>) {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    url,
    ...(needsTls(url) && { requireTLS: true }),
    pool: true,
    getSocket,
    maxConnections: MAX_CONNECTIONS,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** Whoever stands between could else strike STARTTLS out, and read logins and links. */
function needsTls(url: string): boolean {
  const { hostname, searchParams } = new URL(url);
  return !isLoopbackHost(hostname) && !searchParams.has('requireTLS');
}
