import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The link in the newest mail to `recipient` that leads to `page`, once it is in the outbox. */
export async function mailedLink(dataDir: string, recipient: string, page: string) {
  for (;;) {
    const mail = mailsIn(dataDir).findLast((it) => it.includes(`\nTo: ${recipient}\r\n`));
    const link = mail?.match(new RegExp(`\\bhttps?://\\S+${page}#token=[\\w-]{43}\\b`))?.[0];
    if (link) return link;
    await Bun.sleep(10);
  }
}

/** All mails, the oldest first, as they stand in their files. */
export function mailsIn(dataDir: string): string[] {
  const outbox = join(dataDir, 'outbox');
  const names = existsSync(outbox) ? readdirSync(outbox).filter((it) => it.endsWith('.eml')) : [];
  const order = (name: string) => Number(name.match(/-(\d+)\.eml$/)?.[1]);
  return names
    .sort((one, other) => order(one) - order(other))
    .map((name) => readFileSync(join(outbox, name), 'utf8'));
}
