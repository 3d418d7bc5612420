import type { AnyActor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import type { User } from '../../models/users.ts';
import { tidy } from '../../utils/text/text.ts';
import { isTakenError, type NewAccount } from '../accounts/rows.ts';
import type { Users } from '../accounts/users.ts';
import type { Audit } from '../audit/audit.ts';
import type { MailLimits } from '../mail/limits.ts';
import type { Mails } from '../mail/queue.ts';
import type { MailTemplates } from '../mail/templates.ts';
import type { EmailVerification } from './verification.ts';

export interface SignUpDeps {
  db: Db;
  audit: Audit;
  emailVerification: EmailVerification;
  limits: MailLimits;
  mails: Mails;
  passwords: PasswordHasher;
  templates: MailTemplates;
  users: Users;
  /** True if only accounts with a confirmed address can sign in. */
  isVerificationRequired: boolean;
}

export type SignUp = ReturnType<typeof createSignUp>;

/** Runs in the transaction of a sign-up, with the account if it may sign in at once. */
export type OnSettled = (tx: Tx, user: User | undefined) => Promise<void>;

type Applicant = Pick<NewAccount, 'email' | 'username'>;

/** Sign-up. Where verification is required, only the owner of the address learns the outcome. */
export const createSignUp = (deps: SignUpDeps) => {
  const { db, audit, emailVerification, limits, mails, passwords, templates, users } = deps;
  const { isVerificationRequired } = deps;

  /** Queues the mail that explains why an account could not be created. */
  const replyTo = async (
    tx: Tx,
    { email, username }: Applicant,
    owner: User | undefined,
  ): Promise<void> => {
    // The link may have been lost, and an account that cannot sign in cannot request another.
    if (owner?.email_verified_at === null) return emailVerification.send(tx, owner);
    const mail = owner
      ? templates.alreadySignedUp(owner.email, owner.username)
      : templates.usernameTaken(tidy(email), tidy(username));
    await mails.enqueue(tx, mail);
  };

  /** Notifies only the owner of the address why no account could be created with it. */
  const replyByMail = async (
    actor: AnyActor,
    applicant: Applicant,
    onSettled?: OnSettled,
  ): Promise<void> => {
    const owner = await users.findByEmail(applicant.email);
    const isAllowed = limits.countMailbox(owner?.email ?? applicant.email);
    await db.write(async (tx) => {
      if (isAllowed) await replyTo(tx, applicant, owner);
      const details = { reason: owner ? 'email_taken' : 'username_taken' };
      const entry = { user_id: owner?.id ?? null, details };
      await audit.record(tx, actor, { action: 'email.verify_asked', ...entry });
      await onSettled?.(tx, undefined);
    });
  };

  return {
    replyByMail,

    /**
     * Creates an account and queues the mail that verifies its address, both or neither. Where
     * verification is required, the result is the same if the email or username is taken: the mail
     * explains. Otherwise throws email_taken, username_taken. Throws overloaded.
     */
    create: async (actor: AnyActor, account: NewAccount, onSettled?: OnSettled): Promise<void> => {
      const onCreated = async (tx: Tx, user: User) => {
        await emailVerification.sendFirst(tx, user);
        await onSettled?.(tx, isVerificationRequired ? undefined : user);
      };
      try {
        await users.create(account, { actor, onCreated });
      } catch (error) {
        if (!isVerificationRequired || !isTakenError(error)) throw error;
        // Costs the same as creating an account: a hash and a write.
        await passwords.hash(account.password);
        await replyByMail(actor, account, onSettled);
      }
    },
  };
};
