import { and, eq, gt, inArray, sql } from 'drizzle-orm';
import type { Db, Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { AppError } from '../../core/exceptions.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type ActionToken, actionTokens } from '../../models/action-tokens.ts';
import { DAY_MS, MINUTE_MS } from '../../utils/time/units.ts';

export type Purpose = ActionToken['purpose'];

/** A link that confirms an address lives for a day; one that opens an account, for 30 minutes. */
const LIFETIME_MS: Record<Purpose, number> = {
  verify_email: DAY_MS,
  reset_password: 30 * MINUTE_MS,
  change_email: DAY_MS,
};

export const PURPOSES = Object.keys(LIFETIME_MS) as Purpose[];

export interface NewActionToken {
  user_id: number;
  purpose: Purpose;
  /** The address that the token is sent to; using it proves that address. */
  email: string;
}

export interface ActionTokensDeps {
  db: Db;
  now(): Date;
}

export type ActionTokens = ReturnType<typeof createActionTokens>;

const tokenByHash = prepare<{ hash: string }, ActionToken[]>((orm) =>
  orm
    .select()
    .from(actionTokens)
    .where(eq(actionTokens.token_hash, sql.placeholder('hash'))),
);

/** Tokens of mailed links: 256 bits, usable once, stored as their SHA-256. */
export const createActionTokens = ({ db, now }: ActionTokensDeps) => ({
  /** Issues a token, which replaces the live one of this account and purpose. */
  issue: async (tx: Session, { user_id, purpose, email }: NewActionToken): Promise<string> => {
    const token = newToken();
    const at = now();
    const isOld = and(eq(actionTokens.user_id, user_id), eq(actionTokens.purpose, purpose));
    await tx.orm.delete(actionTokens).where(isOld);
    await tx.orm.insert(actionTokens).values({
      user_id,
      purpose,
      email,
      token_hash: hashToken(token),
      created_at: at.toISOString(),
      expires_at: new Date(at.getTime() + LIFETIME_MS[purpose]).toISOString(),
    });
    return token;
  },

  /** Spends a token. Throws invalid_action_token if it is spent, expired or for another purpose. */
  spend: async (tx: Session, purpose: Purpose, token: string): Promise<ActionToken> => {
    const isLive = and(
      eq(actionTokens.token_hash, hashToken(token)),
      eq(actionTokens.purpose, purpose),
      gt(actionTokens.expires_at, now().toISOString()),
    );
    const [row] = await tx.orm.delete(actionTokens).where(isLive).returning();
    if (!row) throw invalidActionToken();
    return row;
  },

  /** Reads a live token without spending it, before costly work. Throws invalid_action_token. */
  peek: async (purpose: Purpose, token: string): Promise<ActionToken> => {
    const [row] = await tokenByHash(db.read, { hash: hashToken(token) });
    const isLive = row?.purpose === purpose && row.expires_at > now().toISOString();
    if (!row || !isLive) throw invalidActionToken();
    return row;
  },

  /** Deletes the tokens of an account that have one of `purposes`. */
  revoke: async (tx: Session, user_id: number, purposes: Purpose[]): Promise<void> => {
    const isOwn = and(eq(actionTokens.user_id, user_id), inArray(actionTokens.purpose, purposes));
    await tx.orm.delete(actionTokens).where(isOwn);
  },
});

export function invalidActionToken(): AppError {
  return new AppError('invalid_action_token', 'The link is spent, expired or wrong');
}
