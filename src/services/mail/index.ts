import { createMailLimits, noMailLimits } from './limits.ts';
import { createNotices } from './notices.ts';
import { createMails, type MailsDeps } from './queue.ts';
import { createMailTemplates, linkBase } from './templates.ts';

export interface OutgoingMailDeps extends MailsDeps {
  config: {
    appName: string;
    publicUrl: string;
    host: string;
    rateLimit: 'on' | 'off';
    limitMails: number;
  };
  /** The port that links lead to. */
  listening: { port: number };
}

/** The queue of mails, and everything that writes to it. */
export function createOutgoingMail(deps: OutgoingMailDeps) {
  const { config, listening } = deps;
  const mails = createMails(deps);
  const templates = createMailTemplates({
    appName: config.appName,
    base: () => linkBase({ ...config, ...listening }),
  });
  const limits = config.rateLimit === 'on' ? createMailLimits(config.limitMails) : noMailLimits;
  return { mails, templates, limits, notices: createNotices({ mails, templates, limits }) };
}
