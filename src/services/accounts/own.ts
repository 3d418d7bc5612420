import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { PasswordHasher } from '../../core/security/security.ts';
import { nameKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import type { Audit } from '../audit/audit.ts';
import type { AccessTokens } from '../auth/access-tokens.ts';
import type { Devices } from '../auth/devices.ts';
import type { Proof } from '../auth/proof.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { Notices } from '../mail/notices.ts';
import { type OwnAccount, ownAccount } from './account.ts';
import { refuseWeak } from './password.ts';
import type { AccountRemoval } from './removal.ts';
import { getUser, refuseForeignAddress, rethrowTaken, updateUser } from './rows.ts';

export interface OwnAccountDeps {
  db: Db;
  passwords: PasswordHasher;
  audit: Audit;
  removal: AccountRemoval;
  sessions: Sessions;
  accessTokens: AccessTokens;
  devices: Devices;
  notices: Notices;
  prove: Proof['prove'];
  now(): Date;
}

/** Operations of an account on itself. */
export const createOwnAccount = (deps: OwnAccountDeps) => {
  const { db, passwords, sessions, accessTokens, devices, audit, notices, prove, now } = deps;
  return {
    get: async (actor: Actor): Promise<OwnAccount> => ownAccount(await getUser(db.read, actor.id)),

    /** Throws username_taken, and validation_failed for an address other than the account's own. */
    rename: (actor: Actor, name: string): Promise<OwnAccount> => {
      const { id } = actor;
      const username = tidy(name);
      const set = { username, username_key: nameKey(username), updated_at: now().toISOString() };
      const write = db.write(async (tx) => {
        const { email } = await getUser(tx, id);
        refuseForeignAddress({ email, username });
        const user = await updateUser(tx, id, set);
        await audit.own(tx, actor, 'user.updated', { fields: ['username'] });
        return ownAccount(user);
      });
      return write.catch(rethrowTaken);
    },

    /**
     * Sets a new password. This session continues; the other sessions, all personal access tokens
     * and all device tokens end. Returns a new device token. Throws bad_credentials for a wrong
     * current password, weak_password, overloaded.
     */
    changePassword: async (actor: Actor, current: string, next: string): Promise<string> => {
      const { id, session } = actor;
      refuseWeak(next, await prove(actor, current), 'new_password');
      const password_hash = await passwords.hash(next);
      return db.write(async (tx) => {
        await updateUser(tx, id, { password_hash, updated_at: now().toISOString() });
        const ended = await sessions.endAll(tx, id, session?.id);
        await accessTokens.endAll(tx, id);
        await audit.own(tx, actor, 'password.changed', { ended });
        await notices.send(tx, id, 'password.changed');
        await devices.forget(tx, id);
        return devices.issue(tx, id);
      });
    },

    /** Deletes the account and all of its data. Throws bad_credentials, conflict, overloaded. */
    remove: async (actor: Actor, password: string): Promise<void> => {
      const user = await prove(actor, password);
      await db.write((tx) => deps.removal.begin(tx, actor, user));
    },
  };
};
