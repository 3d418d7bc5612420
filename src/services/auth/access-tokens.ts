import { and, count, desc, eq, gt, inArray, lte, sql } from 'drizzle-orm';
import type { Actor, Identified } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Log } from '../../core/log.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type AccessToken, accessTokens } from '../../models/access-tokens.ts';
import { sessions } from '../../models/sessions.ts';
import { type Role, users } from '../../models/users.ts';
import { DAY_MS, MINUTE_MS } from '../../utils/time/units.ts';
import type { Audit } from '../audit/audit.ts';
import type { OnWritten } from '../idempotency.ts';
import type { Notices } from '../mail/notices.ts';
import type { Quotas } from '../quotas.ts';
import type { AccessChanges } from './access-changes.ts';
import { createLastUsed } from './last-used.ts';

/** The prefix of every personal access token, so that scanners recognise a leaked one. */
export const TOKEN_PREFIX = 'hut_';
/** Characters of the secret that its owner sees later. */
const SHOWN_CHARACTERS = 8;
/** `last_used_at` is written at most once per 5 minutes. */
const LAST_USED_MS = 5 * MINUTE_MS;
const DEFAULT_DAYS = 90;
/** Expired tokens that the list of an account still shows. */
const SHOWN_EXPIRED = 20;
/** Older expired tokens deleted with each new token. */
const BATCH = 20;

export interface AccessTokensDeps {
  db: Db;
  log: Log;
  audit: Audit;
  accessChanges: AccessChanges;
  notices: Notices;
  /** The longest lifetime of a token, by the role of its owner. */
  maxDays: Record<Role, number>;
  quotas: Quotas;
  now(): Date;
}

export interface NewAccessToken {
  name: string;
  scopes: readonly string[];
  /** Default: 90, or the longest lifetime if that is shorter. */
  expires_in_days?: number;
}

/** A token as its owner sees it: without the secret and its hash. */
export type AccessTokenInfo = Omit<AccessToken, 'token_hash' | 'user_id' | 'scopes'> & {
  scopes: string[];
};

export type CreatedAccessToken = AccessTokenInfo & { token: string };

export type AccessTokens = ReturnType<typeof createAccessTokens>;

/** Personal access tokens: they act for their owner within their scopes. */
export const createAccessTokens = (deps: AccessTokensDeps) => {
  const { db, audit, accessChanges, notices, maxDays, quotas, now } = deps;
  const recordUse = createLastUsed(deps, async ({ orm }, id, last_used_at) => {
    await orm.update(accessTokens).set({ last_used_at }).where(eq(accessTokens.id, id));
  });
  return {
    /** Returns the owner of a live token and its scopes, or undefined. */
    identify: async (token: string): Promise<Identified | undefined> => {
      const [row] = await tokenByHash(db.read, { hash: hashToken(token) });
      const at = now();
      if (!row || row.expires_at <= at.toISOString()) return undefined;
      const { id, role, token_id, scopes, last_used_at } = row;
      const isRecent =
        last_used_at !== null && at.getTime() - Date.parse(last_used_at) <= LAST_USED_MS;
      if (!isRecent) recordUse(token_id, at);
      return { id, role, session: null, scopes: scopes.split(' ') };
    },

    /**
     * Creates a token, returns its secret this once and notifies its owner by mail; `onWritten` runs in
     * the same transaction. The caller proves ownership first (proof.ts). Throws forbidden for a scope
     * above the owner's role, validation_failed for a lifetime that is too long, quota_exceeded, and
     * unauthenticated if the session of the actor has ended meanwhile.
     */
    create: async (
      actor: Actor,
      { name, scopes, ...options }: NewAccessToken,
      onWritten?: OnWritten<CreatedAccessToken>,
    ): Promise<CreatedAccessToken> => {
      const { id: user_id, role, session } = actor;
      const { expires_in_days = Math.min(DEFAULT_DAYS, maxDays[role]) } = options;
      if (scopes.includes('admin') && role !== 'admin') {
        throw new AppError('forbidden', 'Only an admin can grant the scope admin');
      }
      if (expires_in_days > maxDays[role]) throw tooLong(maxDays[role]);
      quotas.requireSpace({ role });
      const token = `${TOKEN_PREFIX}${newToken()}`;
      const at = now();
      const row = {
        ...{ user_id, name, scopes: scopes.join(' '), created_at: at.toISOString() },
        token_hash: hashToken(token),
        prefix: token.slice(0, TOKEN_PREFIX.length + SHOWN_CHARACTERS),
        expires_at: new Date(at.getTime() + expires_in_days * DAY_MS).toISOString(),
      };
      return db.write(async (tx) => {
        await requireLive(tx, session);
        await requireQuota(quotas, tx, user_id, row.created_at);
        const [inserted] = await tx.orm.insert(accessTokens).values(row).returning();
        await audit.own(tx, actor, 'token.created', { name, scopes });
        await notices.send(tx, user_id, 'token.created');
        const created = { ...infoOf(inserted as AccessToken), token };
        await onWritten?.(tx, created);
        return created;
      });
    },

    /** Lists the tokens of an account, newest first. */
    list: async (user_id: number): Promise<AccessTokenInfo[]> => {
      const own = db.read.orm.select().from(accessTokens).where(eq(accessTokens.user_id, user_id));
      return (await own.orderBy(desc(accessTokens.id))).map(infoOf);
    },

    /** Ends all tokens of an account. */
    endAll: async (tx: Tx, user_id: number): Promise<void> => {
      await tx.orm.delete(accessTokens).where(eq(accessTokens.user_id, user_id));
      accessChanges.note(tx, user_id);
    },

    /** Deletes a token of the actor, which stops working at once. Throws not_found. */
    remove: (actor: Actor, id: number): Promise<void> =>
      db.write(async (tx) => {
        const user_id = actor.id;
        const isOwn = and(eq(accessTokens.id, id), eq(accessTokens.user_id, user_id));
        const [row] = await tx.orm.delete(accessTokens).where(isOwn).returning();
        if (!row) throw new AppError('not_found', `Token ${id} not found`);
        accessChanges.note(tx, user_id);
        await audit.own(tx, actor, 'token.deleted', { name: row.name });
      }),
  };
};

type TokenOwner = { id: number; role: Role; token_id: number } & Pick<
  AccessToken,
  'scopes' | 'expires_at' | 'last_used_at'
>;

const tokenByHash = prepare<{ hash: string }, TokenOwner[]>((orm) =>
  orm
    .select({
      id: users.id,
      role: users.role,
      token_id: accessTokens.id,
      scopes: accessTokens.scopes,
      expires_at: accessTokens.expires_at,
      last_used_at: accessTokens.last_used_at,
    })
    .from(accessTokens)
    .innerJoin(users, eq(users.id, accessTokens.user_id))
    .where(and(eq(accessTokens.token_hash, sql.placeholder('hash')), eq(users.is_active, true))),
);

/** Throws if the session ended: a password change must not miss a token that is being created. */
async function requireLive({ orm }: Session, used: Actor['session']): Promise<void> {
  if (!used) return;
  const live = orm.select({ id: sessions.id }).from(sessions);
  const [session] = await live.where(eq(sessions.id, used.id));
  if (!session) throw new AppError('unauthenticated', 'Could not validate credentials');
}

/**
 * Throws quota_exceeded if the account has too many live tokens; expired ones do not count. Deletes
 * at most 20 of the expired tokens that the list no longer shows, so that the write stays short.
 */
async function requireQuota(quotas: Quotas, tx: Session, user_id: number, at: string) {
  const isOwn = eq(accessTokens.user_id, user_id);
  const isLive = and(isOwn, gt(accessTokens.expires_at, at));
  const [live] = await tx.orm.select({ tokens: count() }).from(accessTokens).where(isLive);
  quotas.admitOne('tokens', live?.tokens ?? 0);
  const isExpired = and(isOwn, lte(accessTokens.expires_at, at));
  const expired = tx.orm.select({ id: accessTokens.id }).from(accessTokens).where(isExpired);
  const surplus = expired.orderBy(desc(accessTokens.id)).limit(BATCH).offset(SHOWN_EXPIRED);
  await tx.orm.delete(accessTokens).where(inArray(accessTokens.id, surplus));
}

function tooLong(maxDays: number): AppError {
  const msg = `Input should be less than or equal to ${maxDays}`;
  const fields = [{ type: 'less_than_equal', path: ['expires_in_days'], msg }];
  const message = `A token is valid for ${maxDays} days at most`;
  return new AppError('validation_failed', message, { fields });
}

function infoOf({ token_hash: _hash, user_id: _user, scopes, ...rest }: AccessToken) {
  return { ...rest, scopes: scopes.split(' ') };
}
