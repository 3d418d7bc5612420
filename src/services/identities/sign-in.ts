import { and, count, eq } from 'drizzle-orm';
import { type Actor, type AnyActor, actorFor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import { type Identity, identities } from '../../models/identities.ts';
import { totps } from '../../models/totp.ts';
import type { User } from '../../models/users.ts';
import { emailKey, isEmail } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';
import { freeUsername, suggestUsername } from '../accounts/free-username.ts';
import {
  emailTaken,
  findByEmail,
  findUser,
  insertProviderAccount,
  rethrowTaken,
  updateUser,
} from '../accounts/rows.ts';
import type { Users } from '../accounts/users.ts';
import type { Audit } from '../audit/audit.ts';
import type { AccessChanges } from '../auth/access-changes.ts';
import type { ActionTokens } from '../auth/action-tokens.ts';
import { emailUnverified } from '../auth/auth.ts';
import { endSignInMethods } from '../auth/sign-in-methods.ts';
import type { SignUp } from '../email/sign-up.ts';
import type { EmailVerification } from '../email/verification.ts';
import type { Notices } from '../mail/notices.ts';
import type { Quotas } from '../quotas.ts';
import type { ProviderProfile } from './client.ts';

export interface IdentitySignInDeps {
  db: Db;
  accessChanges: AccessChanges;
  actionTokens: ActionTokens;
  audit: Audit;
  emailVerification: EmailVerification;
  notices: Notices;
  quotas: Quotas;
  signUp: Pick<SignUp, 'replyByMail'>;
  users: Users;
  isRegistrationOpen: boolean;
  /** True if only accounts with a confirmed address can sign in. */
  isVerificationRequired: boolean;
  now(): Date;
}

/** A user of a provider who signs in. */
export interface ProviderUser extends ProviderProfile {
  provider: string;
}

export interface SignInContext {
  actor: AnyActor;
  /** Counts against the limit of sign-ups. Throws too_many_requests. */
  countSignUp(): Promise<void>;
}

/** Finds, links or creates the account of a provider's user. */
export const createIdentitySignIn = (deps: IdentitySignInDeps) => {
  const { db, actionTokens, audit, emailVerification, notices, quotas, now } = deps;

  /** Links an identity, in the caller's transaction. Throws quota_exceeded. */
  const link = async (
    tx: Tx,
    actor: Actor,
    { provider, subject, email }: ProviderUser,
  ): Promise<Identity> => {
    const user_id = actor.id;
    const linked = tx.orm.select({ of: count() }).from(identities);
    const [own] = await linked.where(eq(identities.user_id, user_id));
    quotas.admitOne('identities', own?.of ?? 0);
    const row = { user_id, provider, subject, email, created_at: now().toISOString() };
    const [identity] = await tx.orm.insert(identities).values(row).returning();
    await audit.own(tx, actor, 'identity.linked', { provider });
    return identity as Identity;
  };

  /** Checks what must hold before a provider's user gets an account. */
  const requireSignUp = async (
    providerUser: ProviderUser,
    { actor, countSignUp }: SignInContext,
  ): Promise<void> => {
    const email = emailOf(providerUser);
    const isTaken = (await deps.users.findByEmail(email)) !== undefined;
    if (isTaken && providerUser.is_email_verified) return;
    // First, so that the response does not reveal whether the address is taken.
    if (!deps.isRegistrationOpen) throw new AppError('forbidden', 'Registration is closed');
    await countSignUp();
    if (!isTaken) return;
    if (!deps.isVerificationRequired) throw emailTaken();
    await deps.signUp.replyByMail(actor, { email, username: email });
    throw emailUnverified();
  };

  const markVerified = async (tx: Tx, owner: Actor, isUnchanged: boolean): Promise<User> => {
    const { id } = owner;
    const at = now().toISOString();
    const user = await updateUser(tx, id, { email_verified_at: at, updated_at: at });
    await actionTokens.revoke(tx, id, ['verify_email']);
    if (!isUnchanged) await actionTokens.revoke(tx, id, ['reset_password', 'change_email']);
    await audit.own(tx, owner, 'email.verified', { kept: isUnchanged });
    return user;
  };

  /** The provider may have verified the address only after the identity was linked. */
  const settleLinked = async (
    tx: Tx,
    actor: AnyActor,
    user: User,
    { email, is_email_verified }: ProviderUser,
  ): Promise<User> => {
    const isProof = is_email_verified && email !== null && emailKey(email) === user.email_key;
    if (!isProof || user.email_verified_at !== null) return user;
    return markVerified(tx, actorFor(user, actor.origin), true);
  };

  /**
   * Returns an account with a verified address, to link an identity to. If the address was not
   * verified before, somebody else may have created the account (pre-hijacking): all existing
   * sign-in methods end.
   */
  const takeOver = async (tx: Tx, actor: AnyActor, user: User): Promise<User> => {
    const { id } = user;
    if (user.email_verified_at !== null) {
      const [totp] = await tx.orm.select().from(totps).where(eq(totps.user_id, id));
      if (totp?.confirmed_at) throw linkFirst();
      return user;
    }
    // The operator created the admins, so their owners are known.
    if (user.role === 'admin') throw linkFirst();
    await endSignInMethods(deps, tx, id);
    await updateUser(tx, id, { password_hash: null });
    return markVerified(tx, actorFor(user, actor.origin), false);
  };

  const create = async (tx: Tx, actor: AnyActor, providerUser: ProviderUser): Promise<User> => {
    quotas.requireSpace({ role: 'user' });
    const email = emailOf(providerUser);
    const username = await freeUsername(tx, suggestUsername([...providerUser.names, email]));
    const account = { email, username, is_verified: providerUser.is_email_verified };
    const user = await insertProviderAccount(deps, tx, actor, account);
    await link(tx, actorFor(user, actor.origin), providerUser);
    if (!account.is_verified) await emailVerification.sendFirst(tx, user);
    return user;
  };

  const settle = async (tx: Tx, actor: AnyActor, providerUser: ProviderUser): Promise<User> => {
    const linked = await findLinked(tx, providerUser);
    if (linked) return settleLinked(tx, actor, requireActive(linked), providerUser);
    const owner = await findByEmail(tx, emailOf(providerUser));
    if (!owner) return create(tx, actor, providerUser);
    if (!providerUser.is_email_verified) throw emailTaken();
    const user = await takeOver(tx, actor, requireActive(owner));
    await link(tx, actorFor(user, actor.origin), providerUser);
    await notices.send(tx, user.id, 'identity.linked');
    return user;
  };

  return {
    link,

    /**
     * Returns the active account of a provider's user: the linked one, one with the same address if
     * both sides have verified it, or a new one. Throws inactive_user, forbidden (closed
     * registration), conflict, email_taken, email_unverified, quota_exceeded, too_many_requests.
     */
    accountOf: async (providerUser: ProviderUser, context: SignInContext): Promise<User> => {
      if (!(await findLinked(db.read, providerUser))) await requireSignUp(providerUser, context);
      const write = db.write((tx) => settle(tx, context.actor, providerUser));
      return write.catch(rethrowTaken);
    },
  };
};

async function findLinked(session: Session, { provider, subject }: ProviderUser) {
  const isSame = and(eq(identities.provider, provider), eq(identities.subject, subject));
  const [identity] = await session.orm.select().from(identities).where(isSame);
  return identity && findUser(session, identity.user_id);
}

function requireActive(user: User): User {
  if (!user.is_active) throw new AppError('inactive_user', 'Inactive user');
  return user;
}

function emailOf({ email }: ProviderUser): string {
  if (email !== null && isEmail(email)) return tidy(email);
  throw new AppError('conflict', 'The provider sent no email address: sign up, then link it');
}

function linkFirst(): AppError {
  return new AppError('conflict', 'Sign in as before, and link the provider there');
}
