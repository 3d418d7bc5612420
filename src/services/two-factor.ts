import { AppError } from '../core/exceptions.ts';
import type { User } from '../models/index.ts';
import type { Via } from './audit.ts';
import type { Identity } from './auth.ts';
import { type AdminFactorDeps, noteSecondFactor, refuseUnproved } from './second-factor.ts';
import { type SignInThrottle, sessionBucket } from './throttle.ts';
import type { TotpSetup, Totps } from './totp.ts';

export interface TwoFactorDeps extends AdminFactorDeps {
  totps: Totps;
  throttle: SignInThrottle;
  /** The account of the caller; throws bad_credentials when the password is not its. */
  prove(caller: Identity, password: string): Promise<User>;
  now(): Date;
}

/** The second factor of the own account: what weakens it asks for the password. */
export const createTwoFactor = (deps: TwoFactorDeps) => ({
  status: ({ id }: Identity) => deps.totps.status(id),

  /** Throws bad_credentials, conflict, second_factor_missing. */
  begin: async (caller: Identity, password: string): Promise<TotpSetup> => {
    await refuseUnproved(deps, caller);
    return deps.totps.begin(await deps.prove(caller, password));
  },

  /** Throws bad_credentials, conflict, second_factor_missing. */
  confirm: async (caller: Identity, code: string, via: Via) => {
    await refuseUnproved(deps, caller);
    return { recovery_codes: await deps.totps.confirm(caller, code, via) };
  },

  /**
   * Proves the second factor for the caller's session, by a code of the authenticator or a recovery
   * code. Guesses are limited as those of the password. Throws conflict without an authenticator,
   * bad_credentials, too_many_requests.
   */
  prove: (caller: Identity, code: string, via: Via): Promise<void> =>
    proveCode(deps, caller, code, via),

  /** Throws bad_credentials, conflict. */
  disable: async (caller: Identity, password: string, via: Via): Promise<void> =>
    deps.totps.disable((await deps.prove(caller, password)).id, via),

  /** Throws bad_credentials, conflict. */
  renewCodes: async (caller: Identity, password: string, via: Via) => ({
    recovery_codes: await deps.totps.renewCodes((await deps.prove(caller, password)).id, via),
  }),
});

async function proveCode(
  { db, totps, throttle, now }: TwoFactorDeps,
  caller: Identity,
  code: string,
  via: Via,
): Promise<void> {
  const bucket = sessionBucket(caller.session_id ?? 0);
  const attempt = await throttle.begin({ bucket, address: null });
  try {
    const isProved = await totps.require(caller.id, code, via).catch(async (error) => {
      await db.write((tx) => attempt.fail(tx));
      throw error;
    });
    if (!isProved) throw new AppError('conflict', 'No authenticator is on');
    await db.write((tx) => noteSecondFactor(tx, caller, now()));
    await attempt.succeed();
  } finally {
    attempt.end();
  }
}
