import { and, count, desc, eq, gt, inArray, lte } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { accessTokens } from '../../models/index.ts';
import type { Quotas } from '../quotas.ts';

/** Expired tokens that the list of an account still shows; older ones are deleted, some at a time. */
const SHOWN_EXPIRED = 20;
const STEP = 20;

/**
 * Counts the tokens that still work; those that expired do not stand in the way. Of these, 20 at most
 * are deleted beyond the 20 newest, so that the write stays short for an account with thousands from
 * before the limit: each new token adds one and deletes up to 20, which comes down to 20.
 */
export async function admitToken(quotas: Quotas, tx: Session, user_id: number, at: string) {
  const isOwn = eq(accessTokens.user_id, user_id);
  const isLive = and(isOwn, gt(accessTokens.expires_at, at));
  const [live] = await tx.orm.select({ tokens: count() }).from(accessTokens).where(isLive);
  quotas.admitOne('tokens', live?.tokens ?? 0);
  const isExpired = and(isOwn, lte(accessTokens.expires_at, at));
  const expired = tx.orm.select({ id: accessTokens.id }).from(accessTokens).where(isExpired);
  const surplus = expired.orderBy(desc(accessTokens.id)).limit(STEP).offset(SHOWN_EXPIRED);
  await tx.orm.delete(accessTokens).where(inArray(accessTokens.id, surplus));
}
