import type { Actor, AnyActor } from '../../core/actor.ts';
import type { NewAccount } from '../accounts/users.ts';
import type { AccessTokens } from '../auth/access-tokens.ts';
import { createDeferred } from '../auth/deferred.ts';
import type { Sessions } from '../auth/sessions.ts';
import { askEmailChange, confirmEmailChange } from './address-change.ts';
import type { EmailFlowDeps } from './flow-deps.ts';
import { forgot, reset } from './password-recovery.ts';
import { type OnSettled, signUp } from './sign-up.ts';
import { askVerify, type Verified, verify } from './verification.ts';

/** What an account does by mail: prove an address, get a new password, change the address. */
export function createEmailFlows(
  own: EmailFlowDeps & { sessions: Sessions; accessTokens: AccessTokens },
) {
  const deps = { ...own, deferred: createDeferred(own) };
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
    idle: (): Promise<void> => deps.deferred.idle(),
  };
}
