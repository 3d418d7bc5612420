import { and, eq, isNotNull } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import { passkeys } from '../../models/passkeys.ts';
import { sessions } from '../../models/sessions.ts';
import { totps } from '../../models/totp.ts';

/** Returns true if an account has a confirmed authenticator or a passkey. */
async function hasSecondFactor({ orm }: Session, user_id: number): Promise<boolean> {
  const isOn = and(eq(totps.user_id, user_id), isNotNull(totps.confirmed_at));
  const [totp] = await orm.select({ id: totps.user_id }).from(totps).where(isOn);
  if (totp) return true;
  const isOwn = eq(passkeys.user_id, user_id);
  const [passkey] = await orm.select({ id: passkeys.id }).from(passkeys).where(isOwn).limit(1);
  return passkey !== undefined;
}

/** Records, in the caller's transaction, that the actor's session proved a second factor. */
export async function recordSecondFactor(
  { orm }: Session,
  { session }: Pick<Actor, 'session'>,
  at: Date,
): Promise<void> {
  if (!session) return;
  const set = { second_factor_at: at.toISOString() };
  await orm.update(sessions).set(set).where(eq(sessions.id, session.id));
}

/** Clears the proofs of all sessions if the account no longer has a second factor. */
export async function clearLostFactor(tx: Session, user_id: number): Promise<void> {
  if (await hasSecondFactor(tx, user_id)) return;
  const set = { second_factor_at: null };
  await tx.orm.update(sessions).set(set).where(eq(sessions.user_id, user_id));
}

export interface AdminFactorDeps {
  db: Db;
  /** True if the sessions of admins must prove a second factor. */
  isAdminFactorRequired: boolean;
}

/**
 * Throws second_factor_missing if the caller must prove a second factor, has one, and has not proved
 * it: a session opened with the password alone must not add another factor to get around it.
 */
export async function requireSecondFactor(deps: AdminFactorDeps, actor: Actor): Promise<void> {
  const isLimited = deps.isAdminFactorRequired && actor.role === 'admin';
  if (!isLimited || actor.session?.second_factor_at !== null) return;
  if (!(await hasSecondFactor(deps.db.read, actor.id))) return;
  throw new AppError('second_factor_missing', 'Sign in with your second factor first');
}
