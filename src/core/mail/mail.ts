import { parseMailbox } from '../../utils/text/email.ts';
import { StartupError } from '../exceptions.ts';

/** A message with a plain-text and an HTML version. */
export interface OutgoingMail {
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** Delivers mail at once; services/mail/queue.ts adds retries. */
export interface Mailer {
  /**
   * Resolves once another system is responsible for the mail. Rejects with MailRefused if a retry
   * cannot succeed, otherwise with the cause.
   */
  send(mail: OutgoingMail): Promise<void>;
  /** Closes all connections; a mail that is being sent rejects. */
  close(): void;
}

/** The server permanently refuses this mail. */
export class MailRefused extends Error {}

/** The headers of every mail: its sender, and that a program sent it (RFC 3834 5). */
export type MailHeaders = ReturnType<typeof mailHeaders>;

/** Returns the headers of every mail. Throws StartupError unless `from` is one mailbox. */
export function mailHeaders(from: string, appName: string) {
  const mailbox = parseMailbox(from);
  if (!mailbox) throw new StartupError('HUTCH_MAIL_FROM must be one address');
  const { name, address } = mailbox;
  return {
    // An object, because the library would parse a string as a list of addresses.
    from: { name: name || appName, address },
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}
