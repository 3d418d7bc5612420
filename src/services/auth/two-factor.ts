import type { Actor } from '../../core/actor.ts';
import { AppError } from '../../core/exceptions.ts';
import type { User } from '../../models/index.ts';
import { type AdminFactorDeps, noteSecondFactor, refuseUnproved } from './second-factor.ts';
import { type SignInThrottle, sessionBucket } from './throttle.ts';
import type { TotpSetup, Totps } from './totp.ts';

export interface TwoFactorDeps extends AdminFactorDeps {
  totps: Totps;
  throttle: SignInThrottle;
  /** The account of the caller; throws bad_credentials when the password is not its. */
  prove(actor: Actor, password: string): Promise<User>;
  now(): Date;
}

/** The second factor of the own account: what weakens it asks for the password. */
export const createTwoFactor = (deps: TwoFactorDeps) => ({
  status: ({ id }: Actor) => deps.totps.status(id),

  /** Throws bad_credentials, conflict, second_factor_missing. */
  begin: async (actor: Actor, password: string): Promise<TotpSetup> => {
    await refuseUnproved(deps, actor);
    return deps.totps.begin(await deps.prove(actor, password));
  },

  /** Throws bad_credentials, conflict, second_factor_missing. */
  confirm: async (actor: Actor, code: string) => {
    await refuseUnproved(deps, actor);
    return { recovery_codes: await deps.totps.confirm(actor, code) };
  },

  /**
   * Proves the second factor for the caller's session, by a code of the authenticator or a recovery
   * code. Guesses are limited as those of the password. Throws conflict without an authenticator,
   * bad_credentials, too_many_requests.
   */
  prove: (actor: Actor, code: string): Promise<void> => proveCode(deps, actor, code),

  /** Throws bad_credentials, conflict. */
  disable: async (actor: Actor, password: string): Promise<void> => {
    await deps.prove(actor, password);
    await deps.totps.disable(actor);
  },

  /** Throws bad_credentials, conflict. */
  renewCodes: async (actor: Actor, password: string) => {
    await deps.prove(actor, password);
    return { recovery_codes: await deps.totps.renewCodes(actor) };
  },
});

async function proveCode(
  { db, totps, throttle, now }: TwoFactorDeps,
  actor: Actor,
  code: string,
): Promise<void> {
  const bucket = sessionBucket(actor.session?.id ?? 0);
  const attempt = await throttle.begin({ bucket, address: null });
  try {
    const isProved = await totps.require(actor, code).catch(async (error) => {
      await db.write((tx) => attempt.fail(tx));
      throw error;
    });
    if (!isProved) throw new AppError('conflict', 'No authenticator is on');
    await db.write((tx) => noteSecondFactor(tx, actor, now()));
    await attempt.succeed();
  } finally {
    attempt.end();
  }
}
