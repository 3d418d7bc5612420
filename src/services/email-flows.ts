import type { Actor, AnyActor } from '../core/actor.ts';
import type { AccessTokens } from './access-tokens.ts';
import { createAfterwards } from './afterwards.ts';
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
    signUp: (actor: AnyActor, account: NewAccount, onSettled?: OnSettled): Promise<void> =>
      signUp(deps, actor, account, onSettled),

    askVerify: (actor: Actor): Promise<void> => askVerify(deps, actor),

    verify: (actor: AnyActor, proof: { token: string; password?: string }): Promise<Verified> =>
      verify(deps, actor, proof),

    forgot: (actor: AnyActor, login: string): Promise<void> => forgot(deps, actor, login),

    reset: (actor: AnyActor, next: { token: string; new_password: string }): Promise<string> =>
      reset(deps, actor, next),

    askEmailChange: (actor: Actor, wish: { new_email: string; password: string }): Promise<void> =>
      askEmailChange(deps, actor, wish),

    confirmEmailChange: (
      actor: AnyActor,
      proof: { token: string; password: string },
    ): Promise<void> => confirmEmailChange(deps, actor, proof),

    /** Resolves once what goes on after answers is done. */
    idle: (): Promise<void> => deps.afterwards.idle(),
  };
}
