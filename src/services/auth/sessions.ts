import { and, desc, eq, inArray, lte, ne, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { Actor, Identified } from '../../core/actor.ts';
import { networkOf } from '../../core/client-address.ts';
import type { Db, Session as DbSession } from '../../core/db/db.ts';
import { prepare, type Query } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Job } from '../../core/jobs/recurring.ts';
import type { Log } from '../../core/log.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type Session, sessions } from '../../models/sessions.ts';
import { type Role, users } from '../../models/users.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../utils/time/units.ts';
import type { AccessChanges } from './access-changes.ts';
import { createLastUsed } from './last-used.ts';

const PURGE_EVERY_MS = HOUR_MS;
/** Sessions deleted in one transaction. */
const BATCH = 50;
/** Latest sessions whose addresses are compared with that of a sign-in. */
const RECENT = 32;
/** Requests sent before a sign-in replaced their session arrive within this time. */
const REPLACED = { max: 10_000, ttl: 60_000 };

/** The lifetime of sessions, in total and without use, and their number per account. */
export interface SessionLimits {
  absoluteMs: Record<Role, number>;
  idleMs: Record<Role, number>;
  /** Sessions of one account; opening another one ends the least recently used. */
  count: number;
}

/** Returns the limits that the settings define. */
export function sessionLimits(config: {
  sessionDays: number;
  sessionIdleDays: number;
  adminSessionHours: number;
  adminSessionIdleMinutes: number;
  quotaSessions: number;
}): SessionLimits {
  return {
    absoluteMs: { user: config.sessionDays * DAY_MS, admin: config.adminSessionHours * HOUR_MS },
    idleMs: {
      user: config.sessionIdleDays * DAY_MS,
      admin: config.adminSessionIdleMinutes * MINUTE_MS,
    },
    count: config.quotaSessions,
  };
}

export interface SessionsDeps {
  db: Db;
  log: Log;
  limits: SessionLimits;
  accessChanges: AccessChanges;
  now(): Date;
}

export type Sessions = ReturnType<typeof createSessions>;

/** Further proofs of a sign-in, in addition to the account. */
export interface SessionProof {
  /** True for an authenticator code, a recovery code or a passkey. */
  secondFactor?: boolean;
}

/** A session as its account sees it. */
export type SessionInfo = Pick<
  Session,
  'id' | 'created_at' | 'last_used_at' | 'user_agent' | 'address'
>;

/** The account behind a session token, and the session, as of now. */
type SessionOwner = Identified & { session: NonNullable<Identified['session']> };

type LiveSession = Pick<
  Session,
  'id' | 'user_id' | 'created_at' | 'last_used_at' | 'second_factor_at'
>;

/** Sessions of accounts: bearer tokens of 256 bits, stored as their SHA-256. */
export const createSessions = (deps: SessionsDeps) => {
  const { db, limits, accessChanges, now } = deps;
  const replaced = new LRUCache<string, true>(REPLACED);
  const recordUse = createLastUsed(deps, async ({ orm }, id, last_used_at) => {
    await orm.update(sessions).set({ last_used_at }).where(eq(sessions.id, id));
  });
  return {
    /** Returns the owner of a live session token, or undefined. */
    identify: async (token: string): Promise<SessionOwner | undefined> => {
      const [session] = await sessionByHash(db.read, { hash: hashToken(token) });
      const [user] = session ? await activeRole(db.read, { id: session.user_id }) : [];
      if (!session || !user) return undefined;
      const at = now();
      const unusedMs = at.getTime() - Date.parse(session.last_used_at);
      const ageMs = at.getTime() - Date.parse(session.created_at);
      const idleMs = limits.idleMs[user.role];
      if (ageMs >= limits.absoluteMs[user.role] || unusedMs >= idleMs) return undefined;
      // Written at most hourly, but often enough for a short idle limit.
      if (unusedMs > Math.min(HOUR_MS, idleMs / 6)) recordUse(session.id, at);
      const { user_id, id, second_factor_at } = session;
      return { id: user_id, role: user.role, session: { id, second_factor_at } };
    },

    /** Returns true if one of the account's latest sessions was opened from this network. */
    areFrom: async (user_id: number, network: string): Promise<boolean> => {
      const recent = await recentAddresses(db.read, { user_id });
      return recent.some(({ address }) => address !== null && networkOf(address) === network);
    },

    /** Lists the sessions of an account, last used first. */
    list: (user_id: number): Promise<SessionInfo[]> => {
      const { id, created_at, last_used_at, user_agent, address } = sessions;
      return db.read.orm
        .select({ id, created_at, last_used_at, user_agent, address })
        .from(sessions)
        .where(eq(sessions.user_id, user_id))
        .orderBy(desc(sessions.last_used_at))
        .execute();
    },

    /** Returns the time when a session was opened, or undefined if it has ended. */
    openedAt: async (id = 0): Promise<string | undefined> => {
      const opened = db.read.orm.select({ at: sessions.created_at }).from(sessions);
      return (await opened.where(eq(sessions.id, id)))[0]?.at;
    },

    /** Opens a session for the actor, in the caller's transaction, and returns its bearer token. */
    open: async (
      tx: Tx,
      { id: user_id, origin }: Actor,
      { secondFactor = false }: SessionProof = {},
    ): Promise<string> => {
      const token = newToken();
      const at = now();
      const created_at = at.toISOString();
      await tx.orm.insert(sessions).values({
        user_id,
        token_hash: hashToken(token),
        created_at,
        last_used_at: created_at,
        second_factor_at: secondFactor ? created_at : null,
        expires_at: new Date(at.getTime() + limits.absoluteMs.user).toISOString(),
        user_agent: origin.user_agent,
        address: origin.address,
      });
      const surplus = await deleteSurplus(tx, { user_id, count: limits.count });
      if (surplus.length > 0) accessChanges.note(tx, user_id);
      return token;
    },

    /** Ends one session of an account; returns false if there is none with this id. */
    end: async (tx: Tx, user_id: number, id: number): Promise<boolean> => {
      const isOwn = and(eq(sessions.id, id), eq(sessions.user_id, user_id));
      accessChanges.note(tx, user_id);
      return (await tx.orm.delete(sessions).where(isOwn).returning()).length > 0;
    },

    /** Ends the session of a token, if there is one, because another replaces it. */
    replace: async (tx: Tx, token: string): Promise<void> => {
      const token_hash = hashToken(token);
      const isSame = eq(sessions.token_hash, token_hash);
      const [old] = await tx.orm.delete(sessions).where(isSame).returning();
      if (!old) return;
      replaced.set(token_hash, true);
      accessChanges.note(tx, old.user_id);
    },

    /** Returns true if the session of this token was replaced within the last minute. */
    wasReplaced: (token: string): boolean => replaced.has(hashToken(token)),

    /** Ends all sessions of an account except `exceptId`, and returns their number. */
    endAll: async (tx: Tx, user_id: number, exceptId = 0): Promise<number> => {
      const isOther = and(eq(sessions.user_id, user_id), ne(sessions.id, exceptId));
      accessChanges.note(tx, user_id);
      return (await tx.orm.delete(sessions).where(isOther).returning()).length;
    },

    /** Deletes expired sessions. */
    job: {
      name: 'session purge',
      everyMs: PURGE_EVERY_MS,
      run: async () => {
        const until = now().toISOString();
        if ((await firstExpired(db.read, { until })).length === 0) return false;
        const deleted = await db.write((tx) => deleteExpired(tx, { until }));
        return deleted.length === BATCH;
      },
    } satisfies Job as Job,
  };
};

// Two look-ups by a unique key: their join takes SQLite four times as long.
const sessionByHash = prepare<{ hash: string }, LiveSession[]>((orm) =>
  orm
    .select({
      id: sessions.id,
      user_id: sessions.user_id,
      created_at: sessions.created_at,
      last_used_at: sessions.last_used_at,
      second_factor_at: sessions.second_factor_at,
    })
    .from(sessions)
    .where(eq(sessions.token_hash, sql.placeholder('hash'))),
);
const activeRole = prepare<{ id: number }, { role: Role }[]>((orm) =>
  orm
    .select({ role: users.role })
    .from(users)
    .where(and(eq(users.id, sql.placeholder('id')), eq(users.is_active, true))),
);
const recentAddresses = prepare<{ user_id: number }, Pick<Session, 'address'>[]>((orm) =>
  orm
    .select({ address: sessions.address })
    .from(sessions)
    .where(eq(sessions.user_id, sql.placeholder('user_id')))
    .orderBy(desc(sessions.id))
    .limit(RECENT),
);

type Ids = { id: number }[];

/**
 * Deletes at most 50 sessions that an account has beyond `count`, least recently used first. A
 * sign-in therefore stays short even for an account with thousands of sessions from before the limit;
 * repeated sign-ins reduce them to `count`.
 */
const deleteSurplus: Query<{ user_id: number; count: number }, Ids> = prepare((orm) => {
  const surplus = orm
    .select({ id: sessions.id })
    .from(sessions)
    .where(eq(sessions.user_id, sql.placeholder('user_id')))
    .orderBy(desc(sessions.last_used_at), desc(sessions.id))
    .limit(BATCH)
    .offset(sql.placeholder('count'));
  return orm.delete(sessions).where(inArray(sessions.id, surplus)).returning({ id: sessions.id });
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
    .where(inArray(sessions.id, expiredIds(orm, BATCH)))
    .returning({ id: sessions.id }),
);
