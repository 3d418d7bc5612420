import type { Tx } from '../core/writer.ts';
import type { MailLimits } from './mail-limits.ts';
import type { MailTemplates, NoticedAct } from './mail-templates.ts';
import type { Mails } from './mails.ts';
import { userById } from './user-queries.ts';

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
   * neither. To an address that nobody has proved only as many go as may be asked for in an hour:
   * it may be a stranger's, whom no account shall flood.
   */
  send: async (tx: Tx, user_id: number, act: NoticedAct): Promise<void> => {
    const [user] = await userById(tx, { id: user_id });
    if (!user) return;
    const isProved = user.email_verified_at !== null;
    if (!isProved && !(await limits.countRecipient(user_id))) return;
    await mails.enqueue(tx, templates.notice(user.email, user.username, act));
  },
});
