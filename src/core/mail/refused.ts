import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type SMTPPool from 'nodemailer/lib/smtp-pool';

/** A mail that the server will not take, however often it is sent. */
export class MailRefused extends Error {}

/** The commands that are about one mail. What fails before them concerns the connection. */
const MAIL_COMMANDS = new Set<unknown>(['MAIL FROM', 'RCPT TO', 'DATA']);
/** Replies that ask for another login or for encryption (RFC 4954 6). */
const LOGIN_CODES = new Set([530, 534, 535, 538]);

/** Whether an error of nodemailer is a permanent refusal (RFC 5321 4.2.1) of this mail. */
export function isFinal(error: unknown): boolean {
  const { responseCode, command } = (error ?? {}) as { responseCode?: unknown; command?: unknown };
  return (
    MAIL_COMMANDS.has(command) &&
    typeof responseCode === 'number' &&
    responseCode >= 500 &&
    responseCode <= 599 &&
    !LOGIN_CODES.has(responseCode)
  );
}

/** Whether only servers with SMTPUTF8 take an address: domains have an ASCII form, names do not. */
export function needsUtf8(address: string): boolean {
  return /[^\x20-\x7e]/.test(address.slice(0, address.lastIndexOf('@')));
}

/**
 * Throws MailRefused if the server does not offer SMTPUTF8 (RFC 6531 3.4), and the error of a
 * connection that fails. Asks by a connection of its own: the pool does not tell.
 */
export async function requireUtf8(pool: SMTPPool): Promise<void> {
  if (/[ -]SMTPUTF8\b/i.test(await greetingOf(pool))) return;
  throw new MailRefused('The mail server does not support SMTPUTF8, which this address needs');
}

/** What the server says to EHLO, after STARTTLS where that is used. */
async function greetingOf(pool: SMTPPool): Promise<string> {
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
