import type { Base } from '../../core/base.ts';
import { createMailPurge } from './backlog.ts';
import { createMailLimits, noMailLimits } from './limits.ts';
import { createNotices } from './notices.ts';
import { createMails } from './queue.ts';
import { createMailTemplates, linkBase } from './templates.ts';

/** The queue of mails, and everything that writes to it. */
export function createMailServices(base: Base) {
  const { config, listening } = base;
  const mails = createMails(base);
  const templates = createMailTemplates({
    appName: config.appName,
    base: () => linkBase({ ...config, ...listening }),
  });
  const limits = config.rateLimit === 'on' ? createMailLimits(config.limitMails) : noMailLimits;
  const notices = createNotices({ mails, templates, limits });
  return { mails, templates, limits, notices, jobs: [createMailPurge(base)] };
}

export type MailServices = ReturnType<typeof createMailServices>;
