import { desc, eq, inArray, lte, sql } from 'drizzle-orm';
import type { Db, Session as DbSession } from '../../core/db/db.ts';
import { prepare, type Query } from '../../core/db/query.ts';
import { sessions } from '../../models/index.ts';
import { HOUR_MS } from '../../utils/time/units.ts';
import type { Job } from '../jobs.ts';

const EVERY_MS = HOUR_MS;
/** Sessions deleted in one step. */
const STEP = 50;

type Ids = { id: number }[];

/**
 * Deletes sessions of an account that it has beyond `count`, none of the most recently used ones: 50
 * at most, so that a sign-in to an account with thousands from before the limit stays short. Each
 * sign-in adds one and deletes up to 50, so repeated sign-ins come down to `count`; without any, the
 * sessions expire.
 */
export const deleteSurplus: Query<{ user_id: number; count: number }, Ids> = prepare((orm) => {
  const surplus = orm
    .select({ id: sessions.id })
    .from(sessions)
    .where(eq(sessions.user_id, sql.placeholder('user_id')))
    .orderBy(desc(sessions.last_used_at), desc(sessions.id))
    .limit(STEP)
    .offset(sql.placeholder('count'));
  return orm.delete(sessions).where(inArray(sessions.id, surplus)).returning({ id: sessions.id });
});

/** Deletes sessions that have expired. */
export const createSessionPurge = ({ db, now }: { db: Db; now(): Date }): Job => ({
  name: 'session purge',
  everyMs: EVERY_MS,
  run: async () => {
    const until = now().toISOString();
    if ((await firstExpired(db.read, { until })).length === 0) return false;
    const deleted = await db.write((tx) => deleteExpired(tx, { until }));
    return deleted.length === STEP;
  },
});

const expiredIds = (orm: DbSession['orm'], limit: number) =>
  orm
    .select({ id: sessions.id })
    .from(sessions)
    .where(lte(sessions.expires_at, sql.placeholder('until')))
    .limit(limit);
const firstExpired = prepare<{ until: string }, Ids>((orm) => expiredIds(orm, 1));
const deleteExpired: Query<{ until: string }, Ids> = prepare((orm) =>
  orm
    .delete(sessions)
    .where(inArray(sessions.id, expiredIds(orm, STEP)))
    .returning({ id: sessions.id }),
);
