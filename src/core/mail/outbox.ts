import { chmodSync, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLink } from '../db/data-dir.ts';
import type { Log } from '../log.ts';
import type { Mailer, MailHeaders } from './mail.ts';

interface OutboxOptions {
  headers: MailHeaders;
  dataDir: string;
  log: Log;
  now?(): Date;
}

/**
 * Writes mail to data/outbox/<time>-<n>.eml if no SMTP server is configured. The directory has mode
 * 0700 and each file 0600, because mail contains links that authorise their reader. The log names
 * only the file and the subject.
 */
export function createOutbox({
  headers,
  dataDir,
  log,
  now = () => new Date(),
}: OutboxOptions): Mailer {
  const directory = join(dataDir, 'outbox');
  let written = 0;
  return {
    send: async ({ to, subject, text, html }) => {
      const { createTransport } = await import('nodemailer');
      const options = { streamTransport: true, buffer: true, newline: 'windows' } as const;
      const transport = createTransport(options);
      const { message } = await transport.sendMail({
        ...headers,
        to: { name: '', address: to },
        subject,
        alternatives: [part('text/plain', text), part('text/html', html)],
      });
      if (isLink(directory)) throw new Error(`${directory} is a symbolic link`);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      chmodSync(directory, 0o700);
      const time = now().toISOString().replaceAll(/[:-]/g, '');
      const path = await writeNew(directory, time, () => ++written, message as Buffer);
      log.info('No SMTP server is set: a mail was written to a file.', { path, subject });
    },
    close: () => {},
  };
}

/** A MIME part without line wrapping, so that links can be clicked in an editor. */
function part(type: string, content: string) {
  const headers = [`Content-Type: ${type}; charset=utf-8`, 'Content-Transfer-Encoding: 8bit'];
  return { raw: [...headers, '', content].join('\r\n') };
}

/** Writes a new file; never overwrites one, because the count restarts with the process. */
async function writeNew(directory: string, time: string, next: () => number, bytes: Buffer) {
  for (;;) {
    const path = join(directory, `${time}-${next()}.eml`);
    try {
      await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
