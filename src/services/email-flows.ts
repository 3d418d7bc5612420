import type { AccessTokens } from './access-tokens.ts';
import { createAfterwards } from './afterwards.ts';
import type { Via } from './audit.ts';
import type { Identity } from './auth.ts';
import { askEmailChange, confirmEmailChange } from './email-change.ts';
import type { EmailFlowDeps } from './email-flow-deps.ts';
import { askVerify, type Verified, verify } from './email-verification.ts';
import type { NewAccount } from './new-account.ts';
import { forgot, reset } from './password-recovery.ts';
import type { Sessions } from './sessions.ts';
import { type OnSettled, signUp } from './sign-up.ts';

/** What an account does by mail: prove an address, get a new password, change the address. */
export function createEmailFlows(
  own: EmailFlowDeps & { sessions: Sessions; accessTokens: AccessTokens },
) {
  const deps = { ...own, afterwards: createAfterwards(own) };
  return {
    signUp: (account: NewAccount, via: Via, onSettled?: OnSettled): Promise<void> =>
      signUp(deps, account, via, onSettled),

    askVerify: (caller: Identity, via: Via): Promise<void> => askVerify(deps, caller.id, via),

    verify: (proof: { token: string; password?: string }, via: Via): Promise<Verified> =>
      verify(deps, proof, via),

    forgot: (login: string, via: Via): Promise<void> => forgot(deps, login, via),

    reset: (next: { token: string; new_password: string }, via: Via): Promise<string> =>
      reset(deps, next, via),

    askEmailChange: (
      caller: Identity,
      wish: { new_email: string; password: string },
      via: Via,
    ): Promise<void> => askEmailChange(deps, caller, wish, via),

    confirmEmailChange: (proof: { token: string; password: string }, via: Via): Promise<void> =>
      confirmEmailChange(deps, proof, via),

    /** Resolves once what goes on after answers is done. */
    idle: (): Promise<void> => deps.afterwards.idle(),
  };
}
