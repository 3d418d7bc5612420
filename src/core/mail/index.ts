import type { Log } from '../log.ts';
import type { Lookup } from '../outbound/lookup.ts';
import { type Mailer, mailHeaders } from './mail.ts';
import { createOutbox } from './outbox.ts';
import { createSmtpMailer } from './smtp.ts';

export interface MailerOptions {
  /**
   * smtp://user:password@host:587 or smtps://…; if empty, mail is written to data/outbox. A host
   * other than this machine must offer TLS, unless the URL ends with ?requireTLS=false.
   */
  smtpUrl: string;
  /** The sender, as one mailbox; `appName` is its display name if it has none. */
  from: string;
  appName: string;
  dataDir: string;
  log: Log;
  /** Resolves the name of the SMTP server, which may have a private address. */
  lookup: Lookup;
  now?(): Date;
}

/** Sends mail by SMTP or, without a server, writes it to files. Throws StartupError for a URL that is not SMTP. */
export function createMailer(options: MailerOptions): Mailer {
  const { smtpUrl, lookup, from, appName, ...rest } = options;
  const headers = mailHeaders(from, appName);
  return smtpUrl === ''
    ? createOutbox({ ...rest, headers })
    : createSmtpMailer({ url: smtpUrl, headers, lookup });
}
