import type { Tx } from '../../core/db/writer.ts';
import { findUser } from '../accounts/users.ts';
import type { MailLimits } from './limits.ts';
import type { Mails } from './queue.ts';
import type { MailTemplates, NoticedAct } from './templates.ts';

export interface NoticesDeps {
  mails: Mails;
  templates: MailTemplates;
  limits: MailLimits;
}

export type Notices = ReturnType<typeof createNotices>;

/** Mails that tell the owner of an account what was done to it. */
export const createNotices = ({ mails, templates, limits }: NoticesDeps) => ({
  /**
   * Queues a notice to the account's address in the transaction that does the act: both or
   * neither. Beyond the limits of MailLimits, no mail goes out and the act is done all the same.
   */
  send: async (tx: Tx, user_id: number, act: NoticedAct): Promise<void> => {
    const user = await findUser(tx, user_id);
    if (!user) return;
    if (!limits.countNotice(user)) return;
    await mails.enqueue(tx, templates.notice(user.email, user.username, act), { isNotice: true });
  },
});
