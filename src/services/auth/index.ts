import type { Base } from '../../core/base.ts';
import { isAdminFactorRequired } from '../../core/config/accounts.ts';
import type { Users } from '../accounts/users.ts';
import type { Audit } from '../audit/audit.ts';
import { createEmailChange } from '../email/change.ts';
import { createPasswordRecovery } from '../email/password-recovery.ts';
import { createSignUp } from '../email/sign-up.ts';
import { createSignUpOnce, createSignUpPurge } from '../email/sign-up-once.ts';
import { createEmailVerification } from '../email/verification.ts';
import type { MailServices } from '../mail/index.ts';
import type { Quotas } from '../quotas.ts';
import { createAccessChanges } from './access-changes.ts';
import { createAccessTokens } from './access-tokens.ts';
import { createActionTokens } from './action-tokens.ts';
import { createAuth } from './auth.ts';
import { createDevices } from './devices.ts';
import { createAuthFlows } from './flows.ts';
import { createPasskeys } from './passkeys.ts';
import { createProof } from './proof.ts';
import { createSessions, sessionLimits } from './sessions.ts';
import { createSignInThrottle } from './throttle.ts';
import { createTotps } from './totp.ts';

export interface AuthServicesDeps extends Base, MailServices {
  audit: Audit;
  users: Users;
  quotas: Quotas;
}

export type AuthServices = ReturnType<typeof createAuthServices>;

/** Sign-up, sign-in and everything that proves who a caller is. */
export function createAuthServices(deps: AuthServicesDeps) {
  const { config, now } = deps;
  const required = {
    isAdminFactorRequired: isAdminFactorRequired(config),
    isVerificationRequired: config.emailVerification === 'required',
  };
  const maxDays = { user: config.tokenDays, admin: config.adminTokenDays };
  const accessChanges = createAccessChanges(deps);
  const sessions = createSessions({ ...deps, accessChanges, limits: sessionLimits(config) });
  const accessTokens = createAccessTokens({ ...deps, accessChanges, maxDays });
  const devices = createDevices({ sessions, now });
  const throttle = createSignInThrottle(deps);
  const actionTokens = createActionTokens(deps);
  const flows = createAuthFlows(deps);
  const { prove, proveRecently } = createProof({ ...deps, throttle, sessions });
  const totps = createTotps({ ...deps, ...required, throttle, prove });
  const state = { accessChanges, sessions, accessTokens, devices, throttle, actionTokens };
  const emailVerification = createEmailVerification({ ...deps, ...state });
  const signUp = createSignUp({ ...deps, ...required, emailVerification });
  return {
    ...state,
    ...required,
    flows,
    prove,
    proveRecently,
    totps,
    emailVerification,
    emailChange: createEmailChange({ ...deps, ...state }),
    passwordRecovery: createPasswordRecovery({ ...deps, ...state }),
    signUp,
    auth: createAuth({ ...deps, ...state, ...required, totps, signUp }),
    signUpOnce: createSignUpOnce({ ...deps, ...state, ...required, totps }),
    passkeys: createPasskeys({ ...deps, ...required, flows, prove }),
    jobs: [accessChanges.job, throttle.job, sessions.job, createSignUpPurge(deps)],
  };
}
