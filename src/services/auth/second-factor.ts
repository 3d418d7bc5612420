import { and, eq, isNotNull } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import { passkeys, sessions, totps } from '../../models/index.ts';

/** Whether an account has an authenticator that is on, or a passkey. */
async function hasSecondFactor({ orm }: Session, user_id: number): Promise<boolean> {
  const isOn = and(eq(totps.user_id, user_id), isNotNull(totps.confirmed_at));
  const [totp] = await orm.select({ id: totps.user_id }).from(totps).where(isOn);
  if (totp) return true;
  const isOwn = eq(passkeys.user_id, user_id);
  const [passkey] = await orm.select({ id: passkeys.id }).from(passkeys).where(isOwn).limit(1);
  return passkey !== undefined;
}

/** Notes, in the caller's transaction, that a session proved a second factor at this time. */
export async function noteSecondFactor(
  { orm }: Session,
  { session }: Pick<Actor, 'session'>,
  at: Date,
): Promise<void> {
  if (!session) return;
  const set = { second_factor_at: at.toISOString() };
  await orm.update(sessions).set(set).where(eq(sessions.id, session.id));
}

/** Takes what sessions proved back once the account has no second factor any more. */
export async function forgetLostFactor(tx: Session, user_id: number): Promise<void> {
  if (await hasSecondFactor(tx, user_id)) return;
  const set = { second_factor_at: null };
  await tx.orm.update(sessions).set(set).where(eq(sessions.user_id, user_id));
}

export interface AdminFactorDeps {
  db: Db;
  /** Whether a session of an admin must have proved a second factor. */
  isAdminFactorRequired: boolean;
}

/**
 * Throws second_factor_missing if the caller needs a second factor, has one and has not proved it:
 * a session opened by the password alone must not add another one to get past it.
 */
export async function refuseUnproved(deps: AdminFactorDeps, actor: Actor): Promise<void> {
  const isLimited = deps.isAdminFactorRequired && actor.role === 'admin';
  if (!isLimited || actor.session?.second_factor_at !== null) return;
  if (!(await hasSecondFactor(deps.db.read, actor.id))) return;
  throw new AppError('second_factor_missing', 'Sign in with your second factor first');
}
