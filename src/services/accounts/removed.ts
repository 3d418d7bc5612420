import { type Column, min } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import type { Fragment } from '../../core/db/fragment.ts';
import { prepare, type Query, rendered } from '../../core/db/query.ts';
import { accountRemovals, isNotRemoved } from '../../models/users.ts';

/** The first deleted account whose rows are not yet erased; null if there is none. */
export const firstRemoved: Query<Record<string, never>, { id: number | null }[]> = prepare((orm) =>
  orm.select({ id: min(accountRemovals.user_id) }).from(accountRemovals),
);

/**
 * The condition that the account in `column` was not deleted; none while no rows of deleted accounts
 * are being erased.
 */
export async function notRemoved(session: Session, column: Column): Promise<Fragment[]> {
  const [removed] = await firstRemoved(session, {});
  return removed?.id ? [rendered(isNotRemoved(column))] : [];
}
