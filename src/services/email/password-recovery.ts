import { type AnyActor, actorFor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { Log } from '../../core/log.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import type { User } from '../../models/users.ts';
import { refuseWeak } from '../accounts/password.ts';
import { updateUser } from '../accounts/rows.ts';
import type { Users } from '../accounts/users.ts';
import type { Audit } from '../audit/audit.ts';
import type { AccessChanges } from '../auth/access-changes.ts';
import type { AccessTokens } from '../auth/access-tokens.ts';
import type { ActionTokens } from '../auth/action-tokens.ts';
import { createDeferred } from '../auth/deferred.ts';
import type { Devices } from '../auth/devices.ts';
import type { Sessions } from '../auth/sessions.ts';
import { endSignInMethods } from '../auth/sign-in-methods.ts';
import type { SignInThrottle } from '../auth/throttle.ts';
import type { MailLimits } from '../mail/limits.ts';
import type { Notices } from '../mail/notices.ts';
import type { Mails } from '../mail/queue.ts';
import type { MailTemplates } from '../mail/templates.ts';
import { addressOwner, tokenOwner } from './token-owner.ts';

export interface PasswordRecoveryDeps {
  db: Db;
  log: Log;
  accessChanges: AccessChanges;
  accessTokens: AccessTokens;
  actionTokens: ActionTokens;
  audit: Audit;
  devices: Devices;
  limits: MailLimits;
  mails: Mails;
  notices: Notices;
  passwords: PasswordHasher;
  sessions: Sessions;
  templates: MailTemplates;
  throttle: SignInThrottle;
  users: Users;
  now(): Date;
}

/** Recovery of a forgotten password, by a mailed link. */
export const createPasswordRecovery = (deps: PasswordRecoveryDeps) => {
  const { db, accessTokens, actionTokens, audit, devices, limits, notices, now } = deps;
  const deferred = createDeferred(deps);

  const sendLink = async (user: User | undefined): Promise<void> => {
    if (!user?.is_active || !limits.countReset(user)) return;
    const { id: user_id, email, username } = user;
    await db.write(async (tx) => {
      const token = await actionTokens.issue(tx, { user_id, purpose: 'reset_password', email });
      await deps.mails.enqueue(tx, deps.templates.reset(email, username, token));
    });
  };

  return {
    /**
     * Mails a link to the account of `login`, if there is one. Until the response, the work is the
     * same for every `login`; the mail is queued later. Throws too_many_requests for the client's
     * address.
     */
    request: async (actor: AnyActor, login: string): Promise<void> => {
      await limits.countAddress(actor.origin.address);
      const user = await deps.users.findByLogin(login);
      const entry = { action: 'password.reset_asked', user_id: user?.id ?? null } as const;
      await db.write((tx) => audit.record(tx, actor, entry));
      deferred.run(() => sendLink(user));
    },

    /**
     * Sets a new password, ends every session, access token and device token, and clears the failed
     * sign-ins of the account. Returns a new device token, so that failures of strangers do not lock
     * the owner out; it opens no session. Confirms the address too: if it was not confirmed before,
     * all other sign-in methods end. Throws invalid_action_token, weak_password, overloaded.
     */
    reset: async (
      actor: AnyActor,
      { token, new_password }: { token: string; new_password: string },
    ): Promise<string> => {
      const live = await actionTokens.peek('reset_password', token);
      refuseWeak(new_password, await tokenOwner(db.read, live), 'new_password');
      const password_hash = await deps.passwords.hash(new_password);
      return db.write(async (tx) => {
        const user = await addressOwner(tx, await actionTokens.spend(tx, 'reset_password', token));
        const { id, email_verified_at } = user;
        const at = now().toISOString();
        if (email_verified_at === null) await endSignInMethods(deps, tx, id);
        const ended = await deps.sessions.endAll(tx, id);
        await accessTokens.endAll(tx, id);
        await actionTokens.revoke(tx, id, ['verify_email', 'change_email']);
        const set = { password_hash, email_verified_at: email_verified_at ?? at, updated_at: at };
        await updateUser(tx, id, set);
        await notices.send(tx, id, 'password.changed');
        await audit.own(tx, actorFor(user, actor.origin), 'password.reset', { ended });
        await deps.throttle.forget(tx, id);
        await devices.forget(tx, id);
        return devices.issue(tx, id);
      });
    },

    /** Sends all requested links now, and resolves when none is left. */
    idle: (): Promise<void> => deferred.idle(),
  };
};
