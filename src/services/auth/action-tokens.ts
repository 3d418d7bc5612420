import { and, eq, gt, inArray, sql } from 'drizzle-orm';
import type { Db, Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { AppError } from '../../core/exceptions.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type ActionToken, actionTokens } from '../../models/index.ts';
import { DAY_MS, MINUTE_MS } from '../../utils/time/units.ts';

export type Purpose = ActionToken['purpose'];

/** A link to prove an address may wait for a day; one that opens an account may not. */
const LIFE_MS: Record<Purpose, number> = {
  verify_email: DAY_MS,
  reset_password: 30 * MINUTE_MS,
  change_email: DAY_MS,
};

export const PURPOSES = Object.keys(LIFE_MS) as Purpose[];

export interface NewActionToken {
  user_id: number;
  purpose: Purpose;
  /** The address that it is sent to and proves. */
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

/** What a link in a mail carries: 256 bits, good for one use; only their SHA-256 is stored. */
export const createActionTokens = ({ db, now }: ActionTokensDeps) => ({
  /** Makes a token, in place of the one of this account and purpose that was live. */
  issue: async (tx: Session, { user_id, purpose, email }: NewActionToken): Promise<string> => {
    const token = newToken();
    const at = now();
    const isIt = and(eq(actionTokens.user_id, user_id), eq(actionTokens.purpose, purpose));
    await tx.orm.delete(actionTokens).where(isIt);
    await tx.orm.insert(actionTokens).values({
      user_id,
      purpose,
      email,
      token_hash: hashToken(token),
      created_at: at.toISOString(),
      expires_at: new Date(at.getTime() + LIFE_MS[purpose]).toISOString(),
    });
    return token;
  },

  /** Uses a token up. Throws invalid_action_token when it is spent, expired or of another purpose. */
  spend: async (tx: Session, purpose: Purpose, token: string): Promise<ActionToken> => {
    const isIt = and(
      eq(actionTokens.token_hash, hashToken(token)),
      eq(actionTokens.purpose, purpose),
      gt(actionTokens.expires_at, now().toISOString()),
    );
    const [row] = await tx.orm.delete(actionTokens).where(isIt).returning();
    if (!row) throw invalidActionToken();
    return row;
  },

  /** Looks at a live token without using it, before costly work. Throws invalid_action_token. */
  peek: async (purpose: Purpose, token: string): Promise<ActionToken> => {
    const [row] = await tokenByHash(db.read, { hash: hashToken(token) });
    const isLive = row?.purpose === purpose && row.expires_at > now().toISOString();
    if (!row || !isLive) throw invalidActionToken();
    return row;
  },

  /** Ends the live tokens of an account that are for one of `purposes`. */
  revoke: async (tx: Session, user_id: number, purposes: Purpose[]): Promise<void> => {
    const isIt = and(eq(actionTokens.user_id, user_id), inArray(actionTokens.purpose, purposes));
    await tx.orm.delete(actionTokens).where(isIt);
  },
});

export function invalidActionToken(): AppError {
  return new AppError('invalid_action_token', 'The link is spent, expired or wrong');
}
