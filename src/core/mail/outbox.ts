import { chmodSync, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLink } from '../db/data-dir.ts';
import type { Log } from '../log.ts';
import type { Mailer, MailHeaders } from './mail.ts';

export interface OutboxOptions {
  envelope: MailHeaders;
  dataDir: string;
  log: Log;
  now?(): Date;
}

/**
 * Mail as files, data/outbox/<time>-<n>.eml, for who has no SMTP server yet. The directory is
 * 0700 and a file 0600: it holds a link that acts for its reader. The log names the file
 * and the subject alone.
 */
export function createOutbox({
  envelope,
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
        ...envelope,
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

/** As it is, unwrapped: whoever opens the file in an editor finds a link that can be clicked. */
function part(type: string, content: string) {
  const headers = [`Content-Type: ${type}; charset=utf-8`, 'Content-Transfer-Encoding: 8bit'];
  return { raw: [...headers, '', content].join('\r\n') };
}

/** Never over a file that is there: a server that starts again counts from 1. */
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
