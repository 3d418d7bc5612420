import type { Base } from '../../core/base.ts';
import { createMailLimits, noMailLimits } from './limits.ts';
import { createNotices } from './notices.ts';
import { createMails } from './queue.ts';
import { createMailTemplates } from './templates.ts';

export type MailServices = ReturnType<typeof createMailServices>;

/** The mail queue and everything that adds to it. */
export function createMailServices(base: Base) {
  const { config } = base;
  const mails = createMails(base);
  const templates = createMailTemplates({ ...base, appName: config.appName });
  const limits = config.rateLimit === 'on' ? createMailLimits(config.limitMails) : noMailLimits;
  const notices = createNotices({ mails, templates, limits });
  return { mails, templates, limits, notices };
}
