import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type SMTPPool from 'nodemailer/lib/smtp-pool';
import { isLoopbackHost } from '../../utils/http/loopback.ts';
import { StartupError } from '../exceptions.ts';
import type { Lookup } from '../outbound/lookup.ts';
import { type Mailer, type MailHeaders, MailRefused } from './mail.ts';
import { createMailSockets, type MailSockets } from './sockets.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 20_000;
const MAX_CONNECTIONS = 3;

/** The commands that concern one mail. An error before them concerns the connection. */
const MAIL_COMMANDS = new Set<unknown>(['MAIL FROM', 'RCPT TO', 'DATA']);
/** Replies that demand a login or encryption (RFC 4954 6). */
const LOGIN_CODES = new Set([530, 534, 535, 538]);

interface SmtpOptions {
  url: string;
  headers: MailHeaders;
  lookup: Lookup;
}

/** Sends mail over a pool of SMTP connections. Throws StartupError for a URL that is not SMTP. */
export function createSmtpMailer({ url, headers, lookup }: SmtpOptions): Mailer {
  // The message omits the URL, which contains a password.
  if (!/^smtps?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new StartupError('HUTCH_SMTP_URL must be smtp://… or smtps://…');
  }
  const sockets = createMailSockets({ timeoutMs: CONNECT_TIMEOUT_MS, lookup });
  let transport: ReturnType<typeof openTransport> | undefined;
  return {
    send: async ({ to, ...mail }) => {
      transport ??= openTransport(url, sockets);
      const opened = await transport;
      const addresses = [to, headers.from.address];
      if (addresses.some(needsUtf8)) await requireUtf8(opened.transporter as SMTPPool);
      const recipient = { name: '', address: to };
      await opened.sendMail({ ...headers, to: recipient, ...mail }).catch((error: Error) => {
        throw isPermanent(error) ? new MailRefused(error.message, { cause: error }) : error;
      });
    },
    close: () => {
      void transport?.then((it) => it.close());
      sockets.destroy();
    },
  };
}

/** Loads the library with the first mail, because most processes send none. */
async function openTransport(url: string, { getSocket }: MailSockets) {
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

/** Otherwise a man in the middle could strip STARTTLS and read logins and links. */
function needsTls(url: string): boolean {
  const { hostname, searchParams } = new URL(url);
  return !isLoopbackHost(hostname) && !searchParams.has('requireTLS');
}

/** Returns true if an error of nodemailer is a permanent refusal of this mail (RFC 5321 4.2.1). */
function isPermanent(error: unknown): boolean {
  const { responseCode, command } = (error ?? {}) as { responseCode?: unknown; command?: unknown };
  return (
    MAIL_COMMANDS.has(command) &&
    typeof responseCode === 'number' &&
    responseCode >= 500 &&
    responseCode <= 599 &&
    !LOGIN_CODES.has(responseCode)
  );
}

/** Returns true if an address requires SMTPUTF8: domains have an ASCII form, local parts do not. */
function needsUtf8(address: string): boolean {
  return /[^\x20-\x7e]/.test(address.slice(0, address.lastIndexOf('@')));
}

/**
 * Throws MailRefused if the server does not offer SMTPUTF8 (RFC 6531 3.4), or the error of a failed
 * connection. Opens a separate connection, because the pool does not expose the extensions.
 */
async function requireUtf8(pool: SMTPPool): Promise<void> {
  if (/[ -]SMTPUTF8\b/i.test(await ehloReply(pool))) return;
  throw new MailRefused('The mail server does not support SMTPUTF8, which this address needs');
}

/** Returns the server's reply to EHLO, after STARTTLS if that is used. */
async function ehloReply(pool: SMTPPool): Promise<string> {
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  const socket = await new Promise<object>((resolve, reject) => {
    pool.getSocket(pool.options, (error, found) => (error ? reject(error) : resolve(found || {})));
  });
  const connection: SMTPConnection = new Connection({ ...pool.options, ...socket });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  connection.on('error', reject);
  connection.on('end', () => reject(new Error('The mail server closed the connection')));
  connection.connect((error) => {
    if (error) reject(error);
    else resolve(connection.lastServerResponse || '');
  });
  return promise.finally(() => connection.close());
}
