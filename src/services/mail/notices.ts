import type { Tx } from '../../core/db/writer.ts';
import { findUser } from '../accounts/rows.ts';
import type { MailLimits } from './limits.ts';
import type { Mails } from './queue.ts';
import type { MailTemplates, NoticedAction } from './templates.ts';

export interface NoticesDeps {
  mails: Mails;
  templates: MailTemplates;
  limits: MailLimits;
}

export type Notices = ReturnType<typeof createNotices>;

/** Mails that notify the owner of an account of actions on it. */
export const createNotices = ({ mails, templates, limits }: NoticesDeps) => ({
  /**
   * Queues a notice in the transaction of the action: both commit or neither. Beyond the limits of
   * MailLimits, the action takes place without a notice.
   */
  send: async (tx: Tx, user_id: number, action: NoticedAction): Promise<void> => {
    const user = await findUser(tx, user_id);
    if (!user || !limits.countNotice(user)) return;
    const mail = templates.notice(user.email, user.username, action);
    await mails.enqueue(tx, mail, { isNotice: true });
  },
});
