import { and, count, desc, eq, gt, inArray, isNull, lte, or, sql } from 'drizzle-orm';
import type { Db, Session } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import type { Log } from '../core/log.ts';
import { prepare } from '../core/query.ts';
import { hashToken, newToken } from '../core/security.ts';
import { type AccessToken, accessTokens, type Role, users } from '../models/index.ts';
import type { AccessChanges } from './access-changes.ts';
import type { Audit, Via } from './audit.ts';
import type { Quotas } from './quotas.ts';
import { createUseNotes } from './use-notes.ts';

/** Every personal access token begins so: a leaked one is recognised. */
const TOKEN_PREFIX = 'hut_';
/** Of the secret, how much its owner is shown later. */
const SHOWN_CHARACTERS = 8;
const USE_NOTED_MS = 3_600_000;
const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;
/** Expired tokens that the list of an account still shows; older ones are deleted, some at a time. */
const SHOWN_EXPIRED = 20;
const STEP = 20;

export interface AccessTokensDeps {
  db: Db;
  log: Log;
  audit: Audit;
  accessChanges: AccessChanges;
  quotas: Quotas;
  now(): Date;
}

/** What a new token is made from; without an end it is for ever. */
export interface NewAccessToken {
  name: string;
  scopes: readonly string[];
  /** Default 90; null is for ever. */
  expires_in_days?: number | null;
}

/** What is shown of a token: never the token or its hash. */
export type AccessTokenInfo = Omit<AccessToken, 'token_hash' | 'user_id' | 'scopes'> & {
  scopes: string[];
};

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
    identify: (token: string) => identify(deps, noteUse, token),

    /** Makes a token and gives it, this once. Throws forbidden for a scope above the own role. */
    create: (caller: { id: number; role: Role }, token: NewAccessToken, via: Via) =>
      create(deps, caller, token, via),

    /** The tokens of an account, the newest first. */
    list: async (user_id: number): Promise<AccessTokenInfo[]> => {
      const { orm } = deps.db.read;
      const own = orm.select().from(accessTokens).where(eq(accessTokens.user_id, user_id));
      return (await own.orderBy(desc(accessTokens.id))).map(infoOf);
    },

    /** Deletes an own token, which stops at once. Throws not_found. */
    remove: (user_id: number, id: number, via: Via): Promise<void> =>
      deps.db.write(async (tx) => {
        const isIt = and(eq(accessTokens.id, id), eq(accessTokens.user_id, user_id));
        const [row] = await tx.orm.delete(accessTokens).where(isIt).returning();
        if (!row) throw new AppError('not_found', `Token ${id} not found`);
        deps.accessChanges.note(tx, user_id);
        const who = { actor_id: user_id, user_id, details: { name: row.name } };
        await deps.audit.record(tx, { action: 'token.deleted', ...who, via });
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
  if (!found || (found.expires_at !== null && found.expires_at <= at.toISOString())) return;
  const { id, role, token_id, scopes, last_used_at } = found;
  if (!last_used_at || at.getTime() - Date.parse(last_used_at) > USE_NOTED_MS) {
    noteUse(token_id, at);
  }
  return { id, role, token_id, scopes: scopes.split(' ') };
}

function create(
  { db, audit, quotas, now }: AccessTokensDeps,
  { id: user_id, role }: { id: number; role: Role },
  { name, scopes, expires_in_days = DEFAULT_DAYS }: NewAccessToken,
  via: Via,
) {
  if (scopes.includes('admin') && role !== 'admin') {
    throw new AppError('forbidden', 'Only an admin can give the scope admin');
  }
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
    expires_at: endOf(at, expires_in_days),
  };
  return db.write(async (tx) => {
    await admitToken(quotas, tx, user_id, row.created_at);
    const [made] = await tx.orm.insert(accessTokens).values(row).returning();
    const who = { actor_id: user_id, user_id, details: { name, scopes } };
    await audit.record(tx, { action: 'token.created', ...who, via });
    return { ...infoOf(made as AccessToken), token };
  });
}

/** Counts the tokens that still work; those that expired do not stand in the way. */
async function admitToken(quotas: Quotas, tx: Session, user_id: number, at: string) {
  const isLive = or(isNull(accessTokens.expires_at), gt(accessTokens.expires_at, at));
  const isOwn = and(eq(accessTokens.user_id, user_id), isLive);
  const [live] = await tx.orm.select({ tokens: count() }).from(accessTokens).where(isOwn);
  quotas.admitOne('tokens', live?.tokens ?? 0);
  const isExpired = and(eq(accessTokens.user_id, user_id), lte(accessTokens.expires_at, at));
  const expired = tx.orm.select({ id: accessTokens.id }).from(accessTokens).where(isExpired);
  const surplus = expired.orderBy(desc(accessTokens.id)).limit(STEP).offset(SHOWN_EXPIRED);
  await tx.orm.delete(accessTokens).where(inArray(accessTokens.id, surplus));
}

function endOf(at: Date, days: number | null): string | null {
  return days === null ? null : new Date(at.getTime() + days * DAY_MS).toISOString();
}

function infoOf({ token_hash: _hash, user_id: _user, scopes, ...rest }: AccessToken) {
  return { ...rest, scopes: scopes.split(' ') };
}
