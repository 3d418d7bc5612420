import { type AnyActor, actorFor } from '../../core/actor.ts';
import type { User } from '../../models/index.ts';
import { refuseWeak } from '../accounts/password.ts';
import { findUser, updateUser } from '../accounts/users.ts';
import type { AccessTokens } from '../auth/access-tokens.ts';
import { invalidActionToken } from '../auth/action-tokens.ts';
import type { Deferred } from '../auth/deferred.ts';
import type { Sessions } from '../auth/sessions.ts';
import { endWaysIn } from '../auth/ways-in.ts';
import { type EmailFlowDeps, userOfToken } from './flow-deps.ts';

/**
 * Takes a request for a new password. What is done before the answer is the same for every
 * `login`; the mail is queued after it. Throws too_many_requests for the address that asks.
 */
export async function forgot(
  deps: EmailFlowDeps & { deferred: Deferred },
  actor: AnyActor,
  login: string,
): Promise<void> {
  await deps.limits.countAddress(actor.origin.address);
  const user = await deps.users.findByLogin(login);
  const user_id = user?.id ?? null;
  await deps.db.write((tx) =>
    deps.audit.record(tx, actor, { action: 'password.reset_asked', user_id }),
  );
  deps.deferred.run(() => sendReset(deps, user));
}

async function sendReset(deps: EmailFlowDeps, user: User | undefined): Promise<void> {
  if (!user?.is_active || !deps.limits.countReset(user)) return;
  const { id: user_id, email, username } = user;
  await deps.db.write(async (tx) => {
    const token = await deps.actionTokens.issue(tx, { user_id, purpose: 'reset_password', email });
    await deps.mails.enqueue(tx, deps.templates.reset(email, username, token));
  });
}

/**
 * Sets a new password, ends every session, personal access token and device token, and forgets the failed sign-ins of
 * the account. Signs nobody in, but returns a device token, so that no stranger's failures keep
 * out whoever read the mail. It proves the address too: for one that was not, it ends all that
 * `verify` would. Throws invalid_action_token, weak_password,
 * overloaded.
 */
export async function reset(
  deps: EmailFlowDeps & { sessions: Sessions; accessTokens: AccessTokens },
  actor: AnyActor,
  { token, new_password }: { token: string; new_password: string },
): Promise<string> {
  const { db, passwords, actionTokens, devices, throttle, audit, notices, now } = deps;
  const live = await actionTokens.peek('reset_password', token);
  const owner = await findUser(db.read, live.user_id);
  if (!owner) throw invalidActionToken();
  refuseWeak(new_password, owner, 'new_password');
  const password_hash = await passwords.hash(new_password);
  return db.write(async (tx) => {
    const user = await userOfToken(tx, await actionTokens.spend(tx, 'reset_password', token));
    const { id, email_verified_at } = user;
    const at = now().toISOString();
    if (email_verified_at === null) await endWaysIn(deps, tx, id);
    const ended = await deps.sessions.endAll(tx, id);
    await deps.accessTokens.endAll(tx, id);
    await actionTokens.revoke(tx, id, ['verify_email', 'change_email']);
    const set = { password_hash, email_verified_at: email_verified_at ?? at, updated_at: at };
    await updateUser(tx, id, set);
    await notices.send(tx, id, 'password.changed');
    await audit.own(tx, actorFor(user, actor.origin), 'password.reset', { ended });
    await throttle.forget(tx, id);
    await devices.forget(tx, id);
    return devices.issue(tx, id);
  });
}
