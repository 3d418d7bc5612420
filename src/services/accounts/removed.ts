import { min } from 'drizzle-orm';
import { prepare, type Query } from '../../core/db/query.ts';
import { accountRemovals } from '../../models/users.ts';

/** The first deleted account whose rows are not yet erased; null if there is none. */
export const firstRemoved: Query<Record<string, never>, { id: number | null }[]> = prepare((orm) =>
  orm.select({ id: min(accountRemovals.user_id) }).from(accountRemovals),
);
