import { type Column, min, notInArray, type SQL, sql } from 'drizzle-orm';
import { prepare, type Query } from '../../core/db/query.ts';
import { accountRemovals } from '../../models/users.ts';

/**
 * SQL that is true unless the account in `column` was deleted. The row of a deleted account and its
 * items remain, invisible to everyone, until they are erased.
 */
export function isNotRemoved(column: Column): SQL {
  return notInArray(column, sql`(select ${accountRemovals.user_id} from ${accountRemovals})`);
}

/** The first deleted account whose rows are not yet erased; null if there is none. */
export const firstRemoved: Query<Record<string, never>, { id: number | null }[]> = prepare((orm) =>
  orm.select({ id: min(accountRemovals.user_id) }).from(accountRemovals),
);
