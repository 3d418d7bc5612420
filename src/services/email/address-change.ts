import { type Actor, type AnyActor, actorFor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { ActionToken } from '../../models/index.ts';
import { isUsernameFor } from '../../utils/text/account.ts';
import { emailKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import { findUser, getUser, rethrowTaken, updateUser } from '../accounts/users.ts';
import { invalidActionToken } from '../auth/action-tokens.ts';
import { provePassword } from '../auth/proof.ts';
import { sessionBucket } from '../auth/throttle.ts';
import { tooManyMails } from '../mail/limits.ts';
import { type EmailFlowDeps, provePasswordOf, wrongPassword } from './flow-deps.ts';

/**
 * Sends a link to a new address, whether or not another account has it: only who reads its mail
 * learns of that. Throws bad_credentials, too_many_requests, overloaded, and conflict while the
 * username is the present address.
 */
export async function askEmailChange(
  deps: EmailFlowDeps,
  actor: Actor,
  { new_email: given, password }: { new_email: string; password: string },
): Promise<void> {
  const { id, session, origin } = actor;
  const new_email = tidy(given);
  const user = await getUser(deps.db.read, id);
  const refusal = wrongPassword().message;
  await provePassword(deps, user, password, { bucket: sessionBucket(session?.id ?? 0), refusal });
  if (!isUsernameFor(new_email, user.username)) throw usernameIsAddress();
  await deps.limits.countAddress(origin.address);
  const isAllowed = deps.limits.countAccount(id) && deps.limits.countMailbox(new_email);
  if (!isAllowed) throw tooManyMails();
  await deps.db.write(async (tx) => {
    const wanted = { user_id: id, purpose: 'change_email', email: new_email } as const;
    const token = await deps.actionTokens.issue(tx, wanted);
    await deps.mails.enqueue(tx, deps.templates.changeEmail(new_email, user.username, token));
    await deps.audit.own(tx, actor, 'email.change_asked');
  });
}

/**
 * Gives an account the address that the token was sent to, and tells the old one. The password is
 * of that account: else whoever reads the mail that another account asked for would give away his
 * own address. Throws invalid_action_token, email_taken, overloaded; conflict while the username is
 * the present address, bad_credentials and too_many_requests, which do not use the token up.
 */
export async function confirmEmailChange(
  deps: EmailFlowDeps,
  actor: AnyActor,
  { token, password }: { token: string; password: string },
): Promise<void> {
  const live = await deps.actionTokens.peek('change_email', token);
  const proved = await provePasswordOf(deps, live, password);
  const write = deps.db.write(async (tx) => {
    const spent = await deps.actionTokens.spend(tx, 'change_email', token);
    await changeEmail(deps, tx, actor, spent, proved);
  });
  await write.catch(rethrowTaken);
}

async function changeEmail(
  { actionTokens, limits, mails, templates, audit, now }: EmailFlowDeps,
  tx: Tx,
  actor: AnyActor,
  { user_id, email }: ActionToken,
  proved: string,
): Promise<void> {
  const user = await findUser(tx, user_id);
  if (!user) throw invalidActionToken();
  // Changed between the proof and now: what was proved is another password.
  if (proved !== user.password_hash) throw wrongPassword();
  if (!isUsernameFor(email, user.username)) throw usernameIsAddress();
  const at = now().toISOString();
  const set = { email, email_key: emailKey(email), email_verified_at: at, updated_at: at };
  await updateUser(tx, user_id, set);
  // They were sent to the old address.
  await actionTokens.revoke(tx, user_id, ['verify_email', 'reset_password']);
  if (limits.countNotice(user)) {
    await mails.enqueue(tx, templates.emailChanged(user.email, user.username));
  }
  await audit.own(tx, actorFor(user, actor.origin), 'email.changed');
}

/** It would stay behind as the address of nobody, or of whoever gets that address next. */
function usernameIsAddress(): AppError {
  return new AppError('conflict', 'The username is an address: choose another username first');
}
