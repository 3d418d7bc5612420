import { and, desc, eq, sql } from 'drizzle-orm';
import type { Actor, Identified } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Log } from '../../core/log.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type AccessToken, accessTokens, type Role, sessions, users } from '../../models/index.ts';
import { DAY_MS, MINUTE_MS } from '../../utils/time/units.ts';
import type { Audit } from '../audit/audit.ts';
import type { OnWritten } from '../idempotency.ts';
import type { Notices } from '../mail/notices.ts';
import type { Quotas } from '../quotas.ts';
import type { AccessChanges } from './access-changes.ts';
import { admitToken } from './token-quota.ts';
import { createUseNotes } from './use-notes.ts';

/** Every personal access token begins so: a leaked one is recognised. */
const TOKEN_PREFIX = 'hut_';
/** Of the secret, how much its owner is shown later. */
const SHOWN_CHARACTERS = 8;
/** `last_used_at` is written at most once in this time: 5 minutes. */
const USE_NOTED_MS = 5 * MINUTE_MS;
const DEFAULT_DAYS = 90;

export interface AccessTokensDeps {
  db: Db;
  log: Log;
  audit: Audit;
  accessChanges: AccessChanges;
  notices: Notices;
  /** The longest life of a token, by the role of its owner. */
  maxDays: Record<Role, number>;
  quotas: Quotas;
  now(): Date;
}

/** What a new token is made from. */
export interface NewAccessToken {
  name: string;
  scopes: readonly string[];
  /** Default: 90, or the longest life if that is shorter. */
  expires_in_days?: number;
}

/** What is shown of a token: never the token or its hash. */
export type AccessTokenInfo = Omit<AccessToken, 'token_hash' | 'user_id' | 'scopes'> & {
  scopes: string[];
};

export type CreatedAccessToken = AccessTokenInfo & { token: string };

export type AccessTokens = ReturnType<typeof createAccessTokens>;

type Found = { id: number; role: Role; token_id: number } & Pick<
  AccessToken,
  'scopes' | 'expires_at' | 'last_used_at'
>;

const tokenByHash = prepare<{ hash: string }, Found[]>((orm) =>
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

export const createAccessTokens = (deps: AccessTokensDeps) => {
  const noteUse = createUseNotes(deps, async ({ orm }, id, last_used_at) => {
    await orm.update(accessTokens).set({ last_used_at }).where(eq(accessTokens.id, id));
  });
  return {
    /** Whose live token this is and what it may do; undefined when it is none. */
    identify: (token: string): Promise<Identified | undefined> => identify(deps, noteUse, token),

    /**
     * Creates a token, returns it this once and tells its owner by mail; `onWritten` runs in the same
     * transaction. Throws forbidden for a scope above the own role, validation_failed for a life that
     * is too long, and unauthenticated if the session of the caller ended meanwhile.
     */
    create: (
      actor: Actor,
      token: NewAccessToken,
      onWritten?: OnWritten<CreatedAccessToken>,
    ): Promise<CreatedAccessToken> => create(deps, actor, token, onWritten),

    /** The tokens of an account, the newest first. */
    list: async (user_id: number): Promise<AccessTokenInfo[]> => {
      const { orm } = deps.db.read;
      const own = orm.select().from(accessTokens).where(eq(accessTokens.user_id, user_id));
      return (await own.orderBy(desc(accessTokens.id))).map(infoOf);
    },

    /** Ends all tokens of an account. */
    endAll: async (tx: Tx, user_id: number): Promise<void> => {
      await tx.orm.delete(accessTokens).where(eq(accessTokens.user_id, user_id));
      deps.accessChanges.note(tx, user_id);
    },

    /** Deletes an own token, which stops at once. Throws not_found. */
    remove: (actor: Actor, id: number): Promise<void> =>
      deps.db.write(async (tx) => {
        const user_id = actor.id;
        const isIt = and(eq(accessTokens.id, id), eq(accessTokens.user_id, user_id));
        const [row] = await tx.orm.delete(accessTokens).where(isIt).returning();
        if (!row) throw new AppError('not_found', `Token ${id} not found`);
        deps.accessChanges.note(tx, user_id);
        await deps.audit.own(tx, actor, 'token.deleted', { name: row.name });
      }),
  };
};

async function identify(
  { db, now }: AccessTokensDeps,
  noteUse: (id: number, at: Date) => void,
  token: string,
) {
  const [found] = await tokenByHash(db.read, { hash: hashToken(token) });
  const at = now();
  if (!found || found.expires_at <= at.toISOString()) return undefined;
  const { id, role, token_id, scopes, last_used_at } = found;
  if (!last_used_at || at.getTime() - Date.parse(last_used_at) > USE_NOTED_MS) {
    noteUse(token_id, at);
  }
  return { id, role, session: null, scopes: scopes.split(' ') };
}

function create(
  { db, audit, notices, quotas, maxDays, now }: AccessTokensDeps,
  actor: Actor,
  { name, scopes, expires_in_days = Math.min(DEFAULT_DAYS, maxDays[actor.role]) }: NewAccessToken,
  onWritten?: OnWritten<CreatedAccessToken>,
): Promise<CreatedAccessToken> {
  const { id: user_id, role, session } = actor;
  if (scopes.includes('admin') && role !== 'admin') {
    throw new AppError('forbidden', 'Only an admin can give the scope admin');
  }
  if (expires_in_days > maxDays[role]) throw tooLong(maxDays[role]);
  quotas.requireSpace({ role });
  const token = `${TOKEN_PREFIX}${newToken()}`;
  const at = now();
  const row = {
    user_id,
    name,
    token_hash: hashToken(token),
    prefix: token.slice(0, TOKEN_PREFIX.length + SHOWN_CHARACTERS),
    scopes: scopes.join(' '),
    created_at: at.toISOString(),
    expires_at: new Date(at.getTime() + expires_in_days * DAY_MS).toISOString(),
  };
  return db.write(async (tx) => {
    await refuseEnded(tx, session);
    await admitToken(quotas, tx, user_id, row.created_at);
    const [made] = await tx.orm.insert(accessTokens).values(row).returning();
    await audit.own(tx, actor, 'token.created', { name, scopes });
    await notices.send(tx, user_id, 'token.created');
    const created = { ...infoOf(made as AccessToken), token };
    await onWritten?.(tx, created);
    return created;
  });
}

/** A password change that ended all tokens must not miss one that was under way. */
async function refuseEnded({ orm }: Session, used: Actor['session']): Promise<void> {
  if (!used) return;
  const found = orm.select({ id: sessions.id }).from(sessions);
  const [session] = await found.where(eq(sessions.id, used.id));
  if (!session) throw new AppError('unauthenticated', 'Could not validate credentials');
}

function tooLong(maxDays: number): AppError {
  const msg = `Input should be less than or equal to ${maxDays}`;
  const fields = [{ type: 'less_than_equal', path: ['expires_in_days'], msg }];
  const message = `A token lives for ${maxDays} days at most`;
  return new AppError('validation_failed', message, { fields });
}

function infoOf({ token_hash: _hash, user_id: _user, scopes, ...rest }: AccessToken) {
  return { ...rest, scopes: scopes.split(' ') };
}
