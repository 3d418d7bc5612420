import { type Actor, type AnyActor, actorFor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { User } from '../../models/users.ts';
import { findUser, updateUser } from '../accounts/rows.ts';
import type { Audit } from '../audit/audit.ts';
import type { AccessChanges } from '../auth/access-changes.ts';
import type { ActionTokens } from '../auth/action-tokens.ts';
import type { PasswordProofDeps } from '../auth/proof.ts';
import { endSignInMethods } from '../auth/sign-in-methods.ts';
import { type MailLimits, tooManyMails } from '../mail/limits.ts';
import type { Mails } from '../mail/queue.ts';
import type { MailTemplates } from '../mail/templates.ts';
import { addressOwner, proveTokenOwner, wrongPassword } from './token-owner.ts';

export interface EmailVerificationDeps extends PasswordProofDeps {
  accessChanges: AccessChanges;
  actionTokens: ActionTokens;
  audit: Audit;
  limits: MailLimits;
  mails: Mails;
  templates: MailTemplates;
  now(): Date;
}

export type EmailVerification = ReturnType<typeof createEmailVerification>;

/** The result of confirming an email address. */
export interface EmailConfirmed {
  /** False if everything that could sign in before has ended. */
  kept: boolean;
  /** Sets a new password at once, if the old one ended. */
  reset_token: string | null;
}

/** Verification of the email address of an account, by a mailed link. */
export const createEmailVerification = (deps: EmailVerificationDeps) => {
  const { db, accessChanges, actionTokens, audit, limits, mails, templates, now } = deps;

  /** Issues a token and queues its mail, in the caller's transaction. */
  const send = async (tx: Tx, { id: user_id, email, username }: User): Promise<void> => {
    const token = await actionTokens.issue(tx, { user_id, purpose: 'verify_email', email });
    await mails.enqueue(tx, templates.verify(email, username, token));
  };

  /** Ends all sign-in methods and the password, and returns a token to set a new one. */
  const startOver = async (tx: Tx, { id, email }: User): Promise<string> => {
    await endSignInMethods({ accessChanges }, tx, id);
    await updateUser(tx, id, { password_hash: null });
    await actionTokens.revoke(tx, id, ['change_email']);
    return actionTokens.issue(tx, { user_id: id, purpose: 'reset_password', email });
  };

  return {
    send,

    /** Queues the mail of a new account, unless its mailbox has had too many: users can request another. */
    sendFirst: async (tx: Tx, user: User): Promise<void> => {
      if (limits.countMailbox(user.email)) await send(tx, user);
    },

    /** Mails a link, unless the address is confirmed already. Throws too_many_requests. */
    request: async (actor: Actor): Promise<void> => {
      const user = await findUser(db.read, actor.id);
      if (!user || user.email_verified_at !== null) return;
      await limits.countAddress(actor.origin.address);
      if (!limits.countMailbox(user.email)) throw tooManyMails();
      await db.write(async (tx) => {
        await send(tx, user);
        await audit.own(tx, actor, 'email.verify_asked');
      });
    },

    /**
     * Confirms an address. With the account's password, everything stays as it is. Without it,
     * somebody else may have created the account (pre-hijacking): all existing sign-in methods
     * and the password end, and the result has a token to set a new one. Throws invalid_action_token,
     * and bad_credentials and too_many_requests, which do not spend the token.
     */
    confirm: async (
      actor: AnyActor,
      { token, password }: { token: string; password?: string | undefined },
    ): Promise<EmailConfirmed> => {
      const live = await actionTokens.peek('verify_email', token);
      const provedHash =
        password === undefined ? undefined : await proveTokenOwner(deps, live, password);
      return db.write(async (tx) => {
        const spent = await actionTokens.spend(tx, 'verify_email', token);
        const user = await addressOwner(tx, spent);
        // The password may have changed since it was proved.
        if (provedHash !== undefined && provedHash !== user.password_hash) throw wrongPassword();
        const kept = user.email_verified_at !== null || provedHash !== undefined;
        const at = now().toISOString();
        const set = { email_verified_at: user.email_verified_at ?? at, updated_at: at };
        await updateUser(tx, user.id, set);
        const reset_token = kept ? null : await startOver(tx, user);
        await audit.own(tx, actorFor(user, actor.origin), 'email.verified', { kept });
        return { kept, reset_token };
      });
    },
  };
};
