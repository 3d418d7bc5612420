import { type Column, min, notInArray, type SQL, sql } from 'drizzle-orm';
import { prepare, type Query } from '../../core/db/query.ts';
import { accountRemovals } from '../../models/index.ts';

/**
 * Whether the account that `column` refers to was not deleted. The row of one that was stays, with
 * its items, until those are erased; nobody may see either.
 */
export function isKept(column: Column): SQL {
  return notInArray(column, sql`(select ${accountRemovals.user_id} from ${accountRemovals})`);
}

/** The first of the deleted accounts whose rows are not erased yet; null when there is none. */
export const firstRemoved: Query<Record<string, never>, { id: number | null }[]> = prepare((orm) =>
  orm.select({ id: min(accountRemovals.user_id) }).from(accountRemovals),
);
