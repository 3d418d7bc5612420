import { and, eq, gt, inArray, lte } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type AuthFlow, authFlows } from '../../models/index.ts';
import { MINUTE_MS } from '../../utils/time/units.ts';

/** How long someone may take between the two steps; at a provider he may have to sign in first. */
const LIFE_MS: Record<AuthFlow['kind'], number> = {
  passkey_register: 5 * MINUTE_MS,
  passkey_login: 5 * MINUTE_MS,
  second_factor: 5 * MINUTE_MS,
  oauth: 15 * MINUTE_MS,
};

/** Expired flows that one new flow clears away. */
const EXPIRED = 10;

export interface AuthFlowsDeps {
  db: Db;
  now(): Date;
}

export type AuthFlows = ReturnType<typeof createAuthFlows>;

/** What the second step is given of the first. */
export interface Flow {
  user_id: number | null;
  data: string;
}

/** A two-step act whose first step gives a key that the second one spends. */
export const createAuthFlows = ({ db, now }: AuthFlowsDeps) => ({
  /** Keeps `data` for some minutes and gives the key, which is stored as its hash. */
  begin: (kind: AuthFlow['kind'], user_id: number | null, data: string): Promise<string> =>
    db.write(async ({ orm }) => {
      const key = newToken();
      const at = now();
      const expires_at = new Date(at.getTime() + LIFE_MS[kind]).toISOString();
      // More than one at a time, so that what expired is gone soon, and not all of it at once.
      const expired = orm
        .select({ id: authFlows.id })
        .from(authFlows)
        .where(lte(authFlows.expires_at, at.toISOString()))
        .limit(EXPIRED);
      await orm.delete(authFlows).where(inArray(authFlows.id, expired));
      await orm
        .insert(authFlows)
        .values({ kind, user_id, data, expires_at, key_hash: hashToken(key) });
      return key;
    }),

  /** Spends a key: of any number at once one succeeds. Throws invalid_action_token. */
  take: (kind: AuthFlow['kind'], key: string): Promise<Flow> =>
    db.write(async ({ orm }) => {
      const isIt = and(
        eq(authFlows.key_hash, hashToken(key)),
        eq(authFlows.kind, kind),
        gt(authFlows.expires_at, now().toISOString()),
      );
      const [flow] = await orm.delete(authFlows).where(isIt).returning();
      if (!flow) throw flowEnded();
      return { user_id: flow.user_id, data: flow.data };
    }),
});

export function flowEnded(): AppError {
  return new AppError('invalid_action_token', 'The flow has ended: begin anew');
}
