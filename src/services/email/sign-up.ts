import type { AnyActor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { OutgoingMail } from '../../core/mail/mail.ts';
import type { User } from '../../models/index.ts';
import { tidy } from '../../utils/text/text.ts';
import { isTakenError, type NewAccount } from '../accounts/users.ts';
import type { EmailFlowDeps } from './flow-deps.ts';
import { sendFirstVerification, sendVerification } from './verification.ts';

/**
 * Creates an account and queues the mail that proves its address, both or neither. `onSettled` runs
 * in the same transaction, with the account that may be signed in. Where a proof is required nothing
 * is told here, so it gets undefined whether the account was made or its email or username is taken:
 * the mail says which. Else throws email_taken, username_taken.
 */
export async function signUp(
  deps: EmailFlowDeps,
  actor: AnyActor,
  account: NewAccount,
  onSettled?: OnSettled,
): Promise<void> {
  const onCreated = async (tx: Tx, user: User) => {
    await sendFirstVerification(deps, tx, user);
    await onSettled?.(tx, deps.isVerificationRequired ? undefined : user);
  };
  try {
    await deps.users.create(account, { actor, onCreated });
  } catch (error) {
    if (!deps.isVerificationRequired || !isTakenError(error)) throw error;
    // As much work as making an account is: a hash and a write.
    await deps.passwords.hash(account.password);
    await answerByMail(deps, actor, account, onSettled);
  }
}

export type OnSettled = (tx: Tx, user: User | undefined) => Promise<void>;

type Wanted = Pick<NewAccount, 'email' | 'username'>;

/** Tells whoever reads the mail of an address why no account could be made with it. */
export async function answerByMail(
  deps: EmailFlowDeps,
  actor: AnyActor,
  account: Wanted,
  onSettled?: OnSettled,
): Promise<void> {
  const owner = await deps.users.findByEmail(account.email);
  const isAllowed = deps.limits.countMailbox(owner?.email ?? account.email);
  await deps.db.write(async (tx) => {
    if (isAllowed) await queueAnswer(deps, tx, account, owner);
    const details = { reason: owner ? 'email_taken' : 'username_taken' };
    const entry = { user_id: owner?.id ?? null, details };
    await deps.audit.record(tx, actor, { action: 'email.verify_asked', ...entry });
    await onSettled?.(tx, undefined);
  });
}

async function queueAnswer(
  deps: EmailFlowDeps,
  tx: Tx,
  { email, username }: Wanted,
  owner: User | undefined,
): Promise<void> {
  // The link may have been lost, and who cannot sign in cannot ask for another one.
  if (owner?.email_verified_at === null) return sendVerification(deps, tx, owner);
  const mail: OutgoingMail = owner
    ? deps.templates.alreadySignedUp(owner.email, owner.username)
    : deps.templates.usernameTaken(tidy(email), tidy(username));
  await deps.mails.enqueue(tx, mail);
}
