import { type Actor, type AnyActor, actorFor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { User } from '../../models/index.ts';
import { findUser, updateUser } from '../accounts/users.ts';
import { endWaysIn } from '../auth/ways-in.ts';
import { tooManyMails } from '../mail/limits.ts';
import { type EmailFlowDeps, provePasswordOf, userOfToken, wrongPassword } from './flow-deps.ts';

/** What a proof that an address is somebody's did to its account. */
export interface Verified {
  /** Whether the ways in that were made before still work. */
  kept: boolean;
  /** For setting a password at once, when the old one was ended. */
  reset_token: string | null;
}

/** Issues a token and queues its mail, in the caller's transaction. */
export async function sendVerification(deps: EmailFlowDeps, tx: Tx, user: User): Promise<void> {
  const { id: user_id, email, username } = user;
  const token = await deps.actionTokens.issue(tx, { user_id, purpose: 'verify_email', email });
  await deps.mails.enqueue(tx, deps.templates.verify(email, username, token));
}

/** The mail of a new account; none where its mailbox had enough: its owner can ask for one later. */
export async function sendFirstVerification(
  deps: EmailFlowDeps,
  tx: Tx,
  user: User,
): Promise<void> {
  if (deps.limits.countMailbox(user.email)) await sendVerification(deps, tx, user);
}

/** Nothing happens for an address that is proved already. Throws too_many_requests. */
export async function askVerify(deps: EmailFlowDeps, actor: Actor): Promise<void> {
  const user = await findUser(deps.db.read, actor.id);
  if (!user || user.email_verified_at !== null) return;
  await deps.limits.countAddress(actor.origin.address);
  if (!deps.limits.countMailbox(user.email)) throw tooManyMails();
  await deps.db.write(async (tx) => {
    await sendVerification(deps, tx, user);
    await deps.audit.own(tx, actor, 'email.verify_asked');
  });
}

/**
 * Proves an address. Who gives the account's password too has made it himself and keeps all.
 * Without it, whoever made the account may be another (pre-hijacking): every way in that was made
 * before ends, the password too, and the answer carries a token to set a new one. Throws
 * invalid_action_token; bad_credentials for a wrong password, which does not use the token up.
 */
export async function verify(
  deps: EmailFlowDeps,
  actor: AnyActor,
  { token, password }: { token: string; password?: string | undefined },
): Promise<Verified> {
  const live = await deps.actionTokens.peek('verify_email', token);
  const proved = password === undefined ? undefined : await provePasswordOf(deps, live, password);
  return deps.db.write(async (tx) => {
    const user = await userOfToken(tx, await deps.actionTokens.spend(tx, 'verify_email', token));
    // Changed between the proof and now: what was proved is another password.
    if (proved !== undefined && proved !== user.password_hash) throw wrongPassword();
    const kept = user.email_verified_at !== null || proved !== undefined;
    const at = deps.now().toISOString();
    const set = { email_verified_at: user.email_verified_at ?? at, updated_at: at };
    await updateUser(tx, user.id, set);
    const reset_token = kept ? null : await startAnew(deps, tx, user);
    await deps.audit.own(tx, actorFor(user, actor.origin), 'email.verified', { kept });
    return { kept, reset_token };
  });
}

async function startAnew(deps: EmailFlowDeps, tx: Tx, { id, email }: User) {
  const { actionTokens } = deps;
  await endWaysIn(deps, tx, id);
  await updateUser(tx, id, { password_hash: null });
  await actionTokens.revoke(tx, id, ['change_email']);
  return actionTokens.issue(tx, { user_id: id, purpose: 'reset_password', email });
}
