import type { User } from '../models/index.ts';
import type { Via } from './audit.ts';
import type { Identity } from './auth.ts';
import type { TotpSetup, Totps } from './totp.ts';

export interface TwoFactorDeps {
  totps: Totps;
  /** The account of the caller; throws bad_credentials when the password is not its. */
  prove(caller: Identity, password: string): Promise<User>;
}

/** The second factor of the own account: what weakens it asks for the password. */
export const createTwoFactor = ({ totps, prove }: TwoFactorDeps) => ({
  status: ({ id }: Identity) => totps.status(id),

  /** Throws bad_credentials, conflict. */
  begin: async (caller: Identity, password: string): Promise<TotpSetup> =>
    totps.begin(await prove(caller, password)),

  /** Throws bad_credentials, conflict. */
  confirm: async ({ id }: Identity, code: string, via: Via) => ({
    recovery_codes: await totps.confirm(id, code, via),
  }),

  /** Throws bad_credentials, conflict. */
  disable: async (caller: Identity, password: string, via: Via): Promise<void> =>
    totps.disable((await prove(caller, password)).id, via),

  /** Throws bad_credentials, conflict. */
  renewCodes: async (caller: Identity, password: string, via: Via) => ({
    recovery_codes: await totps.renewCodes((await prove(caller, password)).id, via),
  }),
});
