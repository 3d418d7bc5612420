import { type Actor, type AnyActor, actorFor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { ActionToken } from '../../models/action-tokens.ts';
import { isUsernameFor } from '../../utils/text/account.ts';
import { emailKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import { getUser, rethrowTaken, updateUser } from '../accounts/rows.ts';
import type { Audit } from '../audit/audit.ts';
import type { ActionTokens } from '../auth/action-tokens.ts';
import { type PasswordProofDeps, provePassword } from '../auth/proof.ts';
import { sessionBucket } from '../auth/throttle.ts';
import { type MailLimits, tooManyMails } from '../mail/limits.ts';
import type { Mails } from '../mail/queue.ts';
import type { MailTemplates } from '../mail/templates.ts';
import { proveTokenOwner, tokenOwner, wrongPassword } from './token-owner.ts';

export interface EmailChangeDeps extends PasswordProofDeps {
  actionTokens: ActionTokens;
  audit: Audit;
  limits: MailLimits;
  mails: Mails;
  templates: MailTemplates;
  now(): Date;
}

/** Change of the email address of an account, confirmed from the new address. */
export const createEmailChange = (deps: EmailChangeDeps) => {
  const { db, actionTokens, audit, limits, mails, templates, now } = deps;

  const changeAddress = async (
    tx: Tx,
    actor: AnyActor,
    token: ActionToken,
    provedHash: string,
  ): Promise<void> => {
    const { user_id, email } = token;
    const user = await tokenOwner(tx, token);
    // The password may have changed since it was proved.
    if (provedHash !== user.password_hash) throw wrongPassword();
    if (!isUsernameFor(email, user.username)) throw usernameIsAddress();
    const at = now().toISOString();
    const set = { email, email_key: emailKey(email), email_verified_at: at, updated_at: at };
    await updateUser(tx, user_id, set);
    // These were mailed to the old address.
    await actionTokens.revoke(tx, user_id, ['verify_email', 'reset_password']);
    if (limits.countNotice(user)) {
      await mails.enqueue(tx, templates.emailChanged(user.email, user.username));
    }
    await audit.own(tx, actorFor(user, actor.origin), 'email.changed');
  };

  return {
    /**
     * Mails a link to the new address, whether or not another account has it: only the owner of that
     * address can find out. Throws bad_credentials, too_many_requests, overloaded, and conflict while
     * the username is the present address.
     */
    request: async (
      actor: Actor,
      { new_email, password }: { new_email: string; password: string },
    ): Promise<void> => {
      const { id, session, origin } = actor;
      const email = tidy(new_email);
      const user = await getUser(db.read, id);
      const refusal = wrongPassword().message;
      await provePassword(deps, user, password, {
        bucket: sessionBucket(session?.id ?? 0),
        refusal,
      });
      if (!isUsernameFor(email, user.username)) throw usernameIsAddress();
      await limits.countAddress(origin.address);
      if (!limits.countAccount(id) || !limits.countMailbox(email)) throw tooManyMails();
      await db.write(async (tx) => {
        const token = await actionTokens.issue(tx, { user_id: id, purpose: 'change_email', email });
        await mails.enqueue(tx, templates.changeEmail(email, user.username, token));
        await audit.own(tx, actor, 'email.change_asked');
      });
    },

    /**
     * Sets the address that the token was mailed to, and notifies the old one. Requires the password
     * of the account: otherwise the recipient could be tricked into confirming the request of another
     * account and lose the address to it. Throws invalid_action_token, email_taken, overloaded;
     * conflict, bad_credentials and too_many_requests do not spend the token.
     */
    confirm: async (
      actor: AnyActor,
      { token, password }: { token: string; password: string },
    ): Promise<void> => {
      const live = await actionTokens.peek('change_email', token);
      const provedHash = await proveTokenOwner(deps, live, password);
      const write = db.write(async (tx) => {
        const spent = await actionTokens.spend(tx, 'change_email', token);
        await changeAddress(tx, actor, spent, provedHash);
      });
      await write.catch(rethrowTaken);
    },
  };
};

/** The old address would remain as a username, and later belong to another account. */
function usernameIsAddress(): AppError {
  return new AppError('conflict', 'The username is the address: choose another username first');
}
