import { and, eq, ne } from 'drizzle-orm';
import type { Session } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import type { Tx } from '../core/writer.ts';
import { type User, users } from '../models/index.ts';
import type { Audit, Via } from './audit.ts';
import { type AnnouncementsDeps, announceRemoval } from './item-announcements.ts';

export interface RemovalDeps extends AnnouncementsDeps {
  audit: Audit;
}

/** Deletes an account and all that is its own, by whoever may. Throws conflict. */
export async function removeAccount(
  deps: RemovalDeps,
  tx: Tx,
  user: User,
  actor_id: number,
  via: Via,
): Promise<void> {
  await refuseLastAdmin(tx, user);
  await announceRemoval(deps, tx, user.id);
  // Its items go with it.
  await tx.orm.delete(users).where(eq(users.id, user.id));
  await deps.audit.record(tx, { action: 'user.deleted', actor_id, user_id: user.id, via });
}

/** Without an admin nobody could make another but at the command line. Throws conflict. */
export async function refuseLastAdmin({ orm }: Session, user: User): Promise<void> {
  if (user.role !== 'admin' || !user.is_active) return;
  const isOther = and(eq(users.role, 'admin'), eq(users.is_active, true), ne(users.id, user.id));
  const others = await orm.select({ id: users.id }).from(users).where(isOther).limit(1);
  if (others.length === 0) throw new AppError('conflict', 'This is the last active admin');
}
