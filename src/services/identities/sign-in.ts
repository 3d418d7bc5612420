import { and, eq } from 'drizzle-orm';
import { type Actor, type AnyActor, actorFor } from '../../core/actor.ts';
import type { Session } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import { identities, totps, type User } from '../../models/index.ts';
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
} from '../accounts/users.ts';
import { emailUnverified } from '../auth/auth.ts';
import { endWaysIn } from '../auth/ways-in.ts';
import type { EmailFlowDeps } from '../email/flow-deps.ts';
import { answerByMail } from '../email/sign-up.ts';
import { sendFirstVerification } from '../email/verification.ts';
import type { Quotas } from '../quotas.ts';
import type { OutsideProfile } from './profile.ts';

export interface IdentitySignInDeps extends EmailFlowDeps {
  quotas: Quotas;
  isRegistrationOpen: boolean;
}

/** Who came back from a provider. */
export interface Outsider extends OutsideProfile {
  provider: string;
}

/** What the route adds. */
export interface SignInContext {
  actor: AnyActor;
  /** Counts against the limit of sign-ups. Throws too_many_requests. */
  countSignUp(): Promise<void>;
}

/**
 * The active account of an outsider: the one that it is linked to, or one with its address, if
 * both here and there that is proved, or a new one. Throws inactive_user, forbidden (closed
 * registration), conflict, email_taken, email_unverified, quota_exceeded, too_many_requests.
 */
export async function accountOf(
  deps: IdentitySignInDeps,
  outsider: Outsider,
  context: SignInContext,
): Promise<User> {
  if (!(await findLinked(deps.db.read, outsider))) await admit(deps, outsider, context);
  const write = deps.db.write((tx) => settle(deps, tx, context.actor, outsider));
  return write.catch(rethrowTaken);
}

/** Links an outsider to the actor's account, in the caller's transaction. Throws quota_exceeded. */
export async function link(
  { audit, quotas, now }: Pick<IdentitySignInDeps, 'audit' | 'quotas' | 'now'>,
  tx: Tx,
  actor: Actor,
  { provider, subject, email }: Outsider,
) {
  const user_id = actor.id;
  const linked = tx.orm.select({ id: identities.id }).from(identities);
  quotas.admitOne('identities', (await linked.where(eq(identities.user_id, user_id))).length);
  const row = { user_id, provider, subject, email, created_at: now().toISOString() };
  const [identity] = await tx.orm.insert(identities).values(row).returning();
  await audit.own(tx, actor, 'identity.linked', { provider });
  return identity as typeof identities.$inferSelect;
}

/** What must hold before an outsider without an account is given one. */
async function admit(
  deps: IdentitySignInDeps,
  outsider: Outsider,
  { actor, countSignUp }: SignInContext,
): Promise<void> {
  const email = emailOf(outsider);
  const isTaken = (await deps.users.findByEmail(email)) !== undefined;
  if (isTaken && outsider.is_email_verified) return;
  // Before it could be told whether the address is taken.
  if (!deps.isRegistrationOpen) throw new AppError('forbidden', 'Registration is closed');
  await countSignUp();
  if (!isTaken) return;
  if (!deps.isVerificationRequired) throw emailTaken();
  await answerByMail(deps, actor, { email, username: email });
  throw emailUnverified();
}

async function settle(
  deps: IdentitySignInDeps,
  tx: Tx,
  actor: AnyActor,
  outsider: Outsider,
): Promise<User> {
  const linked = await findLinked(tx, outsider);
  if (linked) return settleLinked(deps, tx, actor, active(linked), outsider);
  const owner = await findByEmail(tx, emailOf(outsider));
  if (!owner) return create(deps, tx, actor, outsider);
  if (!outsider.is_email_verified) throw emailTaken();
  const user = await proved(deps, tx, actor, active(owner));
  await link(deps, tx, actorFor(user, actor.origin), outsider);
  await deps.notices.send(tx, user.id, 'identity.linked');
  return user;
}

/** Its provider may prove the address later than the two were linked: it still is its own. */
async function settleLinked(
  deps: IdentitySignInDeps,
  tx: Tx,
  actor: AnyActor,
  user: User,
  { email, is_email_verified }: Outsider,
): Promise<User> {
  const isProof = is_email_verified && email !== null && emailKey(email) === user.email_key;
  if (!isProof || user.email_verified_at !== null) return user;
  return markVerified(deps, tx, actorFor(user, actor.origin), { kept: true });
}

async function create(deps: IdentitySignInDeps, tx: Tx, actor: AnyActor, outsider: Outsider) {
  deps.quotas.requireSpace({ role: 'user' });
  const email = emailOf(outsider);
  const username = await freeUsername(tx, suggestUsername([...outsider.names, email]));
  const account = { email, username, is_verified: outsider.is_email_verified };
  const user = await insertProviderAccount(deps, tx, actor, account);
  await link(deps, tx, actorFor(user, actor.origin), outsider);
  if (!account.is_verified) await sendFirstVerification(deps, tx, user);
  return user;
}

/**
 * The account as the one who proved its address may have it. Where nobody did before, whoever
 * made it may be another (pre-hijacking): what he could come back by is gone.
 */
async function proved(
  deps: IdentitySignInDeps,
  tx: Tx,
  actor: AnyActor,
  user: User,
): Promise<User> {
  const { id } = user;
  if (user.email_verified_at !== null) {
    const [totp] = await tx.orm.select().from(totps).where(eq(totps.user_id, id));
    if (totp?.confirmed_at) throw linkFirst();
    return user;
  }
  // An admin was made by an operator, who vouches for it.
  if (user.role === 'admin') throw linkFirst();
  await endWaysIn(deps, tx, id);
  await updateUser(tx, id, { password_hash: null });
  return markVerified(deps, tx, actorFor(user, actor.origin), { kept: false });
}

async function markVerified(
  { actionTokens, audit, now }: IdentitySignInDeps,
  tx: Tx,
  owner: Actor,
  details: { kept: boolean },
): Promise<User> {
  const { id } = owner;
  const at = now().toISOString();
  const user = await updateUser(tx, id, { email_verified_at: at, updated_at: at });
  await actionTokens.revoke(tx, id, ['verify_email']);
  if (!details.kept) await actionTokens.revoke(tx, id, ['reset_password', 'change_email']);
  await audit.own(tx, owner, 'email.verified', details);
  return user;
}

async function findLinked(session: Session, { provider, subject }: Outsider) {
  const isIt = and(eq(identities.provider, provider), eq(identities.subject, subject));
  const [identity] = await session.orm.select().from(identities).where(isIt);
  return identity && findUser(session, identity.user_id);
}

function active(user: User): User {
  if (!user.is_active) throw new AppError('inactive_user', 'Inactive user');
  return user;
}

function emailOf({ email }: Outsider): string {
  if (email !== null && isEmail(email)) return tidy(email);
  throw new AppError('conflict', 'The provider gave no email address: sign up, then link it');
}

function linkFirst(): AppError {
  const message = 'Sign in as you did before, and link the provider there';
  return new AppError('conflict', message);
}
