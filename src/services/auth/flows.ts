import { and, eq, gt, inArray, lte } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type AuthFlow, authFlows } from '../../models/auth-flows.ts';
import { MINUTE_MS } from '../../utils/time/units.ts';

/** The time between the two steps; at a provider, a user may have to sign in first. */
const LIFETIME_MS: Record<AuthFlow['kind'], number> = {
  passkey_register: 5 * MINUTE_MS,
  passkey_login: 5 * MINUTE_MS,
  oauth: 15 * MINUTE_MS,
};

/** Expired flows deleted with each new flow: more than one, so that they do not pile up. */
const BATCH = 10;

export interface AuthFlowsDeps {
  db: Db;
  now(): Date;
}

export type AuthFlows = ReturnType<typeof createAuthFlows>;

/** The state that the first step stores for the second. */
export interface Flow {
  user_id: number | null;
  data: string;
}

/** Flows of two steps: the first returns a key, which the second spends. */
export const createAuthFlows = ({ db, now }: AuthFlowsDeps) => ({
  /** Stores `data` for some minutes and returns its key, of which only the hash is stored. */
  begin: (kind: AuthFlow['kind'], user_id: number | null, data: string): Promise<string> =>
    db.write(async ({ orm }) => {
      const key = newToken();
      const at = now();
      const expires_at = new Date(at.getTime() + LIFETIME_MS[kind]).toISOString();
      const expired = orm
        .select({ id: authFlows.id })
        .from(authFlows)
        .where(lte(authFlows.expires_at, at.toISOString()))
        .limit(BATCH);
      await orm.delete(authFlows).where(inArray(authFlows.id, expired));
      await orm
        .insert(authFlows)
        .values({ kind, user_id, data, expires_at, key_hash: hashToken(key) });
      return key;
    }),

  /** Spends a key: one of any number of concurrent calls succeeds. Throws invalid_action_token. */
  take: (kind: AuthFlow['kind'], key: string): Promise<Flow> =>
    db.write(async ({ orm }) => {
      const isLive = and(
        eq(authFlows.key_hash, hashToken(key)),
        eq(authFlows.kind, kind),
        gt(authFlows.expires_at, now().toISOString()),
      );
      const [flow] = await orm.delete(authFlows).where(isLive).returning();
      if (!flow) throw flowEnded();
      return { user_id: flow.user_id, data: flow.data };
    }),
});

export function flowEnded(): AppError {
  return new AppError('invalid_action_token', 'The flow has ended: start again');
}
