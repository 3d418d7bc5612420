import { and, desc, eq, ne, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { Actor, Identified } from '../../core/actor.ts';
import { networkOf } from '../../core/client-address.ts';
import type { Db, Session as DbSession } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Log } from '../../core/log.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type Role, type Session, sessions, users } from '../../models/index.ts';
import { HOUR_MS, MINUTE_MS } from '../../utils/time/units.ts';
import type { AccessChanges } from './access-changes.ts';
import type { SessionLimits } from './session-limits.ts';
import { deleteSurplus } from './session-purge.ts';
import { createUseNotes } from './use-notes.ts';

export interface SessionsDeps {
  db: Db;
  log: Log;
  limits: SessionLimits;
  accessChanges: AccessChanges;
  now(): Date;
}

/** Requests that were sent before a sign-in replaced their session come within this time. */
const REPLACED = { max: 10_000, ttl: MINUTE_MS };

export type Sessions = ReturnType<typeof createSessions>;

/** What a sign-in has proved beside who it is. */
export interface SessionProof {
  /** A code of the authenticator, a recovery code or a passkey. */
  secondFactor?: boolean;
}

/** What an account is shown of a session. */
export type SessionInfo = Pick<
  Session,
  'id' | 'created_at' | 'last_used_at' | 'user_agent' | 'address'
>;

/** The account behind a session token, and the session, as they are at this moment. */
type SessionOwner = Identified & { session: NonNullable<Identified['session']> };

type Found = Pick<Session, 'id' | 'user_id' | 'created_at' | 'last_used_at' | 'second_factor_at'>;

// Two look-ups by a unique key: SQLite takes four times as long for their join.
const sessionByHash = prepare<{ hash: string }, Found[]>((orm) =>
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
/** Sessions whose addresses are looked at. */
const RECENT = 32;
const recentAddresses = prepare<{ user_id: number }, Pick<Session, 'address'>[]>((orm) =>
  orm
    .select({ address: sessions.address })
    .from(sessions)
    .where(eq(sessions.user_id, sql.placeholder('user_id')))
    .orderBy(desc(sessions.id))
    .limit(RECENT),
);

export const createSessions = (deps: SessionsDeps) => ({
  ...sessionReads(deps),
  ...sessionEndings(deps, new LRUCache<string, true>(REPLACED)),

  /** Opens a session of the actor in a transaction and returns its bearer token, which is stored nowhere. */
  open: (tx: Tx, actor: Actor, proof: SessionProof = {}): Promise<string> =>
    open(deps, tx, actor, proof),
});

function sessionReads(deps: SessionsDeps) {
  const noteUse = createUseNotes(deps, async ({ orm }, id, last_used_at) => {
    await orm.update(sessions).set({ last_used_at }).where(eq(sessions.id, id));
  });
  return {
    /** Whose live session this token is of; undefined when it is none. */
    identify: (token: string): Promise<SessionOwner | undefined> => identify(deps, noteUse, token),

    /** Whether one of the account's latest sessions was opened from this network. */
    areFrom: async (user_id: number, network: string): Promise<boolean> => {
      const recent = await recentAddresses(deps.db.read, { user_id });
      return recent.some(({ address }) => address !== null && networkOf(address) === network);
    },

    /** The sessions of an account, the last used first. */
    list: (user_id: number): Promise<SessionInfo[]> => listOf(deps.db.read, user_id),

    /** When a session was opened; undefined when it has ended. */
    openedAt: async (id = 0): Promise<string | undefined> => {
      const { orm } = deps.db.read;
      const opened = orm.select({ at: sessions.created_at }).from(sessions);
      return (await opened.where(eq(sessions.id, id)))[0]?.at;
    },
  };
}

const sessionEndings = ({ accessChanges }: SessionsDeps, replaced: LRUCache<string, true>) => ({
  /** Ends one session of an account; false when it has none with this id. */
  end: async (tx: Tx, user_id: number, id: number): Promise<boolean> => {
    const isIt = and(eq(sessions.id, id), eq(sessions.user_id, user_id));
    accessChanges.note(tx, user_id);
    return (await tx.orm.delete(sessions).where(isIt).returning()).length > 0;
  },

  /** Ends the session that a token belongs to, if there is one, because another replaces it. */
  replace: async (tx: Tx, token: string): Promise<void> => {
    const token_hash = hashToken(token);
    const isIt = eq(sessions.token_hash, token_hash);
    const [old] = await tx.orm.delete(sessions).where(isIt).returning();
    if (!old) return;
    replaced.set(token_hash, true);
    accessChanges.note(tx, old.user_id);
  },

  /** Whether the session of this token was replaced within the last minute. */
  wasReplaced: (token: string): boolean => replaced.has(hashToken(token)),

  /** Ends the sessions of an account, all or all but one, and returns how many there were. */
  endAll: async (tx: Tx, user_id: number, exceptId = 0): Promise<number> => {
    const isIt = and(eq(sessions.user_id, user_id), ne(sessions.id, exceptId));
    accessChanges.note(tx, user_id);
    return (await tx.orm.delete(sessions).where(isIt).returning()).length;
  },
});

async function open(
  { limits, accessChanges, now }: SessionsDeps,
  tx: Tx,
  { id: user_id, origin }: Actor,
  { secondFactor = false }: SessionProof,
): Promise<string> {
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
}

async function identify(
  { db, limits, now }: SessionsDeps,
  noteUse: (id: number, at: Date) => void,
  token: string,
) {
  const [found] = await sessionByHash(db.read, { hash: hashToken(token) });
  const [user] = found ? await activeRole(db.read, { id: found.user_id }) : [];
  if (!found || !user) return undefined;
  const at = now();
  const unusedMs = at.getTime() - Date.parse(found.last_used_at);
  const ageMs = at.getTime() - Date.parse(found.created_at);
  const idleMs = limits.idleMs[user.role];
  if (ageMs >= limits.absoluteMs[user.role] || unusedMs >= idleMs) return undefined;
  // Written at most hourly, and often enough for the idle limit to be meant.
  if (unusedMs > Math.min(HOUR_MS, idleMs / 6)) noteUse(found.id, at);
  const { user_id, id, second_factor_at } = found;
  return { id: user_id, role: user.role, session: { id, second_factor_at } };
}

function listOf({ orm }: DbSession, user_id: number): Promise<SessionInfo[]> {
  const { id, created_at, last_used_at, user_agent, address } = sessions;
  return orm
    .select({ id, created_at, last_used_at, user_agent, address })
    .from(sessions)
    .where(eq(sessions.user_id, user_id))
    .orderBy(desc(sessions.last_used_at));
}
